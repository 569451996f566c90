/**
 * ServerKeyExchange and ClientKeyExchange of ECDHE: RFC 8422 5.4 and 5.7, with the signature of RFC 5246 4.7; and of ECDHE_PSK: RFC
 * 5489 2, with identities in place of it. Only the cipher suite tells which of the two a message is.
 *
 * What the server signs is client random, server random and the parameters as bytes. An encoding here is the only one of
 * its value, so `serverEcdhParams.encode(params)` are the bytes that were received.
 */
import { ecCurveTypes } from '../parameters.js';
import { constant, enumeration, type Infer, opaque, struct } from '../presentation/codec.js';
import { signatureScheme } from './extensions/signature-algorithms.js';
import { namedGroup } from './extensions/supported-groups.js';

const ecPoint = opaque(1, 2 ** 8 - 1);

export const serverEcdhParams = struct({
  /** RFC 8422 5.4: the explicit curves are gone. */
  curveType: constant(enumeration(1, ecCurveTypes), 'named_curve'),
  namedCurve: namedGroup,
  public: ecPoint,
});
export interface ServerEcdhParams extends Infer<typeof serverEcdhParams> {}

export const serverKeyExchange = struct({
  params: serverEcdhParams,
  algorithm: signatureScheme,
  signature: opaque(0, 2 ** 16 - 1),
});
export interface ServerKeyExchange extends Infer<typeof serverKeyExchange> {}

export const clientKeyExchange = struct({
  /** RFC 8422 5.7: ecdh_Yc. */
  public: ecPoint,
});
export interface ClientKeyExchange extends Infer<typeof clientKeyExchange> {}

/** RFC 4279 2 and 5.3: both are text by intent, and bytes here. */
const identity = opaque(0, 2 ** 16 - 1);

export const pskServerKeyExchange = struct({
  /** Empty where the server gives none (RFC 5489 2). */
  pskIdentityHint: identity,
  params: serverEcdhParams,
});
export interface PskServerKeyExchange extends Infer<typeof pskServerKeyExchange> {}

export const pskClientKeyExchange = struct({
  pskIdentity: identity,
  public: ecPoint,
});
export interface PskClientKeyExchange extends Infer<typeof pskClientKeyExchange> {}
