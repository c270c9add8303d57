// provider.mjs PORT FOLDER: an OpenID Connect provider on loopback, for tests. Its signing key is made once and kept in
// FOLDER; FOLDER/jwkset.json is the public part, for the realm of a cluster. Any name signs in, with any password.
// TOKEN_SECONDS is the lifetime of ID and access tokens, REFRESH_SECONDS that of refresh tokens.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const [port, folder] = process.argv.slice(2);
const seconds = (name, usual) => Number(process.env[name] ?? usual);

const keyFile = `${folder}/provider-key.json`;
if (!existsSync(keyFile)) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const about = { kid: 'test', use: 'sig', alg: 'RS256' };
  writeFileSync(keyFile, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...about }), { mode: 0o600 });
  writeFileSync(`${folder}/jwkset.json`, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...about }] }));
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'keybearer',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
  }],
  jwks: { keys: [JSON.parse(readFileSync(keyFile))] },
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  // The realm of a cluster sees only the token.
  conformIdTokenClaims: false,
  features: { deviceFlow: { enabled: true }, revocation: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  ttl: {
    AccessToken: seconds('TOKEN_SECONDS', 300), IdToken: seconds('TOKEN_SECONDS', 300),
    RefreshToken: seconds('REFRESH_SECONDS', 3600), DeviceCode: 120, Grant: 3600, Interaction: 300, Session: 3600,
  },
});
// The addresses of discovery documents are made of the host that was asked.
provider.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${port}`));
