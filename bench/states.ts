/**
 * States of other servers. The `SSL_SESSION` of a ticket of nginx with early data (165 bytes, TLS 1.3), beside the tree that asn1js
 * makes of the same bytes: a session is read out of the tree only after that.
 */
import { fromBER } from 'asn1js';
import { fromHex } from '../src/bytes.js';
import { opensslState, s2nSession, sslSession } from '../src/sessions/index.js';

/** From vectors/tickets/nginx-80-early-tls13.json. */
const nginxState = fromHex(
  '3081a202010102020304040213020420ea835617cab92d2111d15e6b33b986151c96a2655d29653827dd246686acecc10430138438b3f93519336c55f2b41f56d0c059f8d3240e26fa910bec14a5f61615afa0eebbcd32576726c3667d16dd2991c8a10602046b016822a2040202012ca4160414cd30802542383c31bde4c559315cb7c41d5811c1a6080406612e74657374ae06020472dc8608af0402024000b30302011d',
);
const place = { serverName: 'a.test', applicationContext: new Uint8Array(0), now: 1_795_254_310_000 };

/** From vectors/tickets/s2n-tls13.json. */
const s2nState = fromHex(
  '0222130118ea06486452da08503244e320f816ecea3758e6ec3776a4b1e502a2a2ca5fa4a3d629e0c3b7f6e89ec008db7f18ec2c585d7bda0800000000',
);

export interface StateCase {
  readonly case: string;
  readonly run: () => void;
  /** asn1js, doing as much of it as it can. */
  readonly peer?: () => void;
}

export function stateCases(): readonly StateCase[] {
  const fields = sslSession.decode(nginxState);
  const { sessionIdContext = new Uint8Array(0) } = fields;
  const encoding = opensslState({ lifetime: 300, sessionIdContext });
  const session = encoding.decode(nginxState, place);
  if (session === undefined || typeof session === 'string')
    throw new Error(`got ${String(session)}, expected a session`);
  const s2nFields = s2nSession.decode(s2nState);
  const tree = fromBER(nginxState).result;
  return [
    { case: 'SSL_SESSION decode', run: () => void sslSession.decode(nginxState), peer: () => void fromBER(nginxState) },
    { case: 'SSL_SESSION encode', run: () => void sslSession.encode(fields), peer: () => void tree.toBER() },
    { case: 'SSL_SESSION to session', run: () => void encoding.decode(nginxState, place) },
    { case: 'session to SSL_SESSION', run: () => void encoding.encode(session) },
    { case: 's2n-tls decode', run: () => void s2nSession.decode(s2nState) },
    { case: 's2n-tls encode', run: () => void s2nSession.encode(s2nFields) },
  ];
}
