/** Certificates on Node.js: chains and keys from PEM, and the judgement of a peer's chain. */
export { credentialsFromPem, type Pem, type PemCredentials } from './credentials.js';
export { nginxTargetFromPem, type NginxPemTargetOptions } from './nginx-target.js';
export {
  acceptAnyCertificateForTesting,
  maxCertificates,
  nodeVerifier,
  type NodeVerifierOptions,
} from './node-verifier.js';
export type { CertificateAuthorities } from './trust-anchors.js';
