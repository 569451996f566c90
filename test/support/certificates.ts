/** Real certificates of `vectors/certificates`, by name. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const certificates = JSON.parse(
  readFileSync(new URL('../../vectors/certificates/certificates.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Pair>>;

export function pem(name: string): Pair {
  const pair = certificates[name];
  if (pair === undefined) throw new Error(`no certificate ${name} in vectors/certificates`);
  return pair;
}

/** The leaf and the certificates above it one after the other, by default the intermediate that issued most leaves. */
export function identity(name: string, ...issuers: readonly string[]): Pair {
  const above = issuers.length === 0 ? ['intermediate'] : issuers;
  return { cert: [name, ...above].map((each) => pem(each).cert).join(''), key: pem(name).key };
}

export function der(name: string): Uint8Array {
  return new Uint8Array(new X509Certificate(pem(name).cert).raw);
}

/** What clients and servers of these tests trust. */
export const ca = pem('root').cert;
