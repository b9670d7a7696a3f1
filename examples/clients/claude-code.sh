claude mcp add --transport http --header "Authorization: Bearer TOKEN" hub http://HOST:30800/mcp
