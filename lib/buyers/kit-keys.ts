/**
 * Public halves of the protocol's compliance keys, whose private halves everybody knows. The demo gives them to a sandbox buyer; nobody
 * else may have them, and outside the demo they open nothing.
 */
type KitKey = { kid: string; kty: string; crv: string; alg: string; x: string; y?: string; adcp_use: string; use: string; key_ops: string[]; isRevoked: boolean };

const COMMON = { use: "sig", key_ops: ["verify"] };

export const KIT_KEYS: readonly KitKey[] = [
  { kid: "test-ed25519-2026", kty: "OKP", crv: "Ed25519", alg: "EdDSA", x: "gWUqzATUcUco5Q8fZZXn8aWwb7DQbYGBiqUzLiSDDJo", adcp_use: "request-signing", isRevoked: false, ...COMMON },
  { kid: "test-es256-2026", kty: "EC", crv: "P-256", alg: "ES256", x: "vGSQmjzPN1txgDY-oBb108gMsRETA9J5IPxqlBczQOY", y: "JGIbsHoOnHLL_LFqGYUW43BYDAqGYrNRZUylkE7rqSU", adcp_use: "request-signing", isRevoked: false, ...COMMON },
  { kid: "test-gov-2026", kty: "OKP", crv: "Ed25519", alg: "EdDSA", x: "rkUcKP5oMd7YjV4yy5mVS5S8fA3LDXcf5jk1P1_52EA", adcp_use: "governance-signing", isRevoked: false, ...COMMON },
  { kid: "test-revoked-2026", kty: "OKP", crv: "Ed25519", alg: "EdDSA", x: "r8wqMpVCLKzLSRNBtNmI1g71pPzQcwkATJHcyHK1lXg", adcp_use: "request-signing", isRevoked: true, ...COMMON },
];

export function isKitKey(jwk: Record<string, unknown>): boolean {
  return KIT_KEYS.some(({ x }) => x === jwk.x);
}
