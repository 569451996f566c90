/**
 * The command line of a shim, as BoringSSL's runner writes it: `-name` or `-name value`, each with a prefix that says which of
 * the connections it is for.
 *
 * A flag that does not stand in the table below asks for something that this library or this shim does not have: the runner is
 * told so (exit status 89), and never that a test has passed which was not understood.
 */

/** What a flag is followed by, and how often it may stand. */
const kinds = {
  /** Nothing. */
  set: { argument: false },
  integer: { argument: true },
  text: { argument: true },
  base64: { argument: true },
  /** Integers, one for each time that the flag stands. */
  integers: { argument: true },
} as const;

interface Value {
  set: boolean;
  integer: number;
  text: string;
  base64: Uint8Array;
  integers: readonly number[];
}

/** Flags of a connection. */
const connectionFlags = {
  server: 'set',
  'resume-count': 'integer',
  port: 'integer',
  ipv6: 'set',
  'shim-id': 'text',
  async: 'set',
  // What is there already, or what we have no other way of doing.
  'implicit-handshake': 'set',
  'no-op-extra-handshake': 'set',
  'trust-cert': 'text',
  'use-old-client-cert-callback': 'set',
  'use-early-callback': 'set',
  'use-custom-verify-callback': 'set',
  'no-tls1': 'set',
  'no-tls11': 'set',
  'server-preference': 'set',
  // Versions, suites, groups, signatures.
  'no-tls12': 'set',
  'no-tls13': 'set',
  'min-version': 'integer',
  'max-version': 'integer',
  cipher: 'text',
  curves: 'integers',
  'curves-flags': 'integers',
  'key-shares': 'integers',
  'no-key-shares': 'set',
  'server-supported-groups-hint': 'integers',
  'verify-prefs': 'integers',
  'enable-grease': 'set',
  'permute-extensions': 'set',
  'no-legacy-server-connect': 'set',
  // Names, protocols.
  'host-name': 'text',
  'advertise-alpn': 'text',
  'select-alpn': 'text',
  'decline-alpn': 'set',
  'reject-alpn': 'set',
  'select-empty-alpn': 'set',
  'no-server-name-ack': 'set',
  'fail-early-callback': 'set',
  'install-ddos-callback': 'set',
  'fail-ddos-callback': 'set',
  // Certificates.
  'verify-peer': 'set',
  'verify-fail': 'set',
  'reverify-on-resume': 'set',
  'require-any-client-certificate': 'set',
  'use-client-ca-list': 'text',
  'fail-cert-callback': 'set',
  'enable-ocsp-stapling': 'set',
  'enable-signed-cert-timestamps': 'set',
  'max-cert-list': 'integer',
  // Resumption.
  'no-ticket': 'set',
  'use-ticket-callback': 'set',
  'use-ticket-aead-callback': 'set',
  'renew-ticket': 'set',
  'skip-ticket': 'set',
  'ticket-key': 'base64',
  'resumption-delay': 'integer',
  'resumption-across-names-enabled': 'set',
  'expect-resumable-across-names': 'set',
  'expect-not-resumable-across-names': 'set',
  'enable-early-data': 'set',
  psk: 'text',
  'psk-identity': 'text',
  // What is done with the connection.
  'shim-writes-first': 'set',
  'shim-initial-write': 'text',
  'repeat-shim-initial-write': 'integer',
  'read-with-unfinished-write': 'set',
  'early-write-after-message': 'integer',
  'shim-shuts-down': 'set',
  'check-close-notify': 'set',
  'send-alert': 'set',
  'key-update': 'set',
  'key-update-before-read': 'set',
  'max-send-fragment': 'integer',
  'read-size': 'integer',
  'export-keying-material': 'integer',
  'export-label': 'text',
  'export-context': 'text',
  'use-export-context': 'set',
  'export-traffic-secrets': 'set',
  'tls-unique': 'set',
  // We never renegotiate: what is expected of it is 0, and every other number is not met.
  'renegotiate-ignore': 'set',
  'renegotiate-freely': 'set',
  'expect-total-renegotiations': 'integer',
  'advertise-npn': 'text',
  'retain-only-sha256-client-cert': 'set',
  // What is expected of it.
  'expect-version': 'integer',
  'expect-cipher': 'integer',
  'expect-cipher-aes': 'integer',
  'expect-cipher-no-aes': 'integer',
  'expect-curve-id': 'integer',
  'expect-hrr': 'set',
  'expect-no-hrr': 'set',
  'expect-peer-signature-algorithm': 'integer',
  'expect-peer-verify-pref': 'integers',
  'expect-peer-cert-file': 'text',
  'expect-no-peer-cert': 'set',
  'expect-verify-result': 'set',
  'expect-certificate-types': 'base64',
  'expect-client-ca-list': 'text',
  'expect-ocsp-response': 'base64',
  'expect-signed-cert-timestamps': 'base64',
  'expect-selected-credential': 'integer',
  'expect-server-name': 'text',
  'expect-alpn': 'text',
  'expect-advertised-alpn': 'text',
  'expect-extended-master-secret': 'set',
  'expect-secure-renegotiation': 'set',
  'expect-session-miss': 'set',
  'expect-no-session': 'set',
  'expect-session-id': 'set',
  'expect-no-session-id': 'set',
  'expect-ticket-renewal': 'set',
  'expect-ticket-supports-early-data': 'set',
  'expect-ticket-age-skew': 'integer',
  'expect-accept-early-data': 'set',
  'expect-reject-early-data': 'set',
  'expect-no-offer-early-data': 'set',
  'expect-early-data-reason': 'text',
  'is-handshaker-supported': 'set',
} as const satisfies Record<string, keyof typeof kinds>;

/** Flags of the credential named last, or of the connection before there is one. */
const credentialFlags = {
  'cert-file': 'text',
  'key-file': 'text',
  'signing-prefs': 'integers',
  'ocsp-response': 'base64',
  'signed-cert-timestamps': 'base64',
  'psk-importer-key': 'base64',
  'psk-importer-identity': 'base64',
  'psk-importer-context': 'base64',
  'psk-importer-sha256': 'set',
  'psk-importer-sha384': 'set',
} as const satisfies Record<string, keyof typeof kinds>;

type Flags<Table extends Record<string, keyof typeof kinds>> = {
  -readonly [Name in keyof Table]?: Value[Table[Name]];
};

export interface CredentialFlags extends Flags<typeof credentialFlags> {
  readonly kind: 'x509' | 'psk';
}

/** What one connection is to do. */
export interface Configuration extends Flags<typeof connectionFlags> {
  /** The credential that was not introduced by a flag of its own. */
  readonly credential: CredentialFlags;
  readonly credentials: CredentialFlags[];
}

/** The first connection, those after it, and one whose early data was rejected, from then on. */
export interface Configurations {
  readonly initial: Configuration;
  readonly resume: Configuration;
  readonly retry: Configuration;
}

/** Something that the shim cannot do. */
export class Unimplemented extends Error {}

export function parseFlags(args: readonly string[]): Configurations {
  const all = { initial: nothing(), resume: nothing(), retry: nothing() };
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    const [, only, which, name] =
      /^(?:-on-(shim|handshaker))?(?:-on-(initial|resume|retry))?-(.*)$/.exec(argument) ?? [];
    if (name === undefined) throw new Error(`got ${argument}, expected a flag`);
    const kind = kindOf(name);
    const value = kinds[kind].argument ? args[++i] : '';
    if (value === undefined) throw new Error(`got no value for ${argument}`);
    if (only === 'handshaker') continue;
    for (const [phase, configuration] of Object.entries(all))
      if (which === undefined || which === phase) apply(configuration, name, kind, value);
  }
  return all;
}

const newCredential = /^new-(x509|psk)-credential$/;

function nothing(): Configuration {
  return { credential: { kind: 'x509' }, credentials: [] };
}

function kindOf(name: string): keyof typeof kinds {
  if (newCredential.test(name)) return 'set';
  const table: Partial<Record<string, keyof typeof kinds>> = { ...connectionFlags, ...credentialFlags };
  const kind = table[name];
  if (kind === undefined) throw new Unimplemented(`-${name}`);
  return kind;
}

function apply(configuration: Configuration, name: string, kind: keyof typeof kinds, text: string): void {
  const introduced = newCredential.exec(name)?.[1];
  if (introduced !== undefined) {
    configuration.credentials.push({ kind: introduced === 'psk' ? 'psk' : 'x509' });
    return;
  }
  const target = Object.hasOwn(credentialFlags, name)
    ? (configuration.credentials.at(-1) ?? configuration.credential)
    : configuration;
  const before: unknown = Reflect.get(target, name);
  Reflect.set(target, name, read(kind, text, before));
}

function read(kind: keyof typeof kinds, text: string, before: unknown): Value[keyof Value] {
  switch (kind) {
    case 'set':
      return true;
    case 'integer':
      return Number(text);
    case 'text':
      return text;
    case 'base64':
      return new Uint8Array(Buffer.from(text, 'base64'));
    case 'integers':
      return [...(Array.isArray(before) ? (before as number[]) : []), Number(text)];
  }
}
