// An authorization server for the tests: oidc-provider with its own sign-in pages, which
// take any password. A person's login says what is wrong with the tokens of that person.
//
// node server.mjs MODULES SCOPE: prints its issuer once it serves on loopback.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [modules, scope] = process.argv.slice(2);
const path = createRequire(`${modules}/`).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(path));

const FLAWS = {
  expired: (claims) => { claims.iat -= 7200; claims.exp = claims.iat + 60; },
  unscoped: (claims) => { delete claims.scope; },
};

function describeResource(_, resource) {
  // RFC 8707: the audience of the token is the resource that the client names
  return {
    scope,
    audience: resource,
    accessTokenFormat: "jwt",
    accessTokenTTL: 3600,
    jwt: { sign: { alg: "RS256" } },
  };
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    scopes: ["openid", "offline_access", scope],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: true },
      registration: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: describeResource },
    },
    formats: {
      customizers: {
        jwt: (_, token, jwt) => { FLAWS[token.accountId]?.(jwt.payload); return jwt; },
      },
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
