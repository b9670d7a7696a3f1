claude mcp add --transport http hub http://HOST:30800/mcp --header "Authorization: Bearer TOKEN"
