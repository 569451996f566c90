/**
 * From flags to the options of this library: what BoringSSL's shim does in callbacks stands here in options and in answers.
 */
import { readFileSync } from 'node:fs';
import { acceptAnyCertificateForTesting, credentialsFromPem } from '../../src/adapters/node/index.js';
import { MemoryReplayGuard } from '../../src/early-data/index.js';
import {
  AlertError,
  type CertificateQuestion,
  type CertificateRequestInfo,
  type CertificateVerdict,
  type ClientHelloInfo,
  type ClientOptions,
  type CommonOptions,
  type Credentials,
  type CryptoBackend,
  type ExternalPskOptions,
  type KeyExchangeGroup,
  type MaybePromise,
  type PublicKey,
  type ServerOptions,
  type ServerSettings,
  type Signer,
  type Session,
  type SessionStore,
  serverSettings,
  type SignatureSchemeName,
  type SupportedCipherSuite,
  type TicketSealer,
  UsageError,
} from '../../src/index.js';
import { namedGroups, protocolVersions, signatureSchemes } from '../../src/messages/index.js';
import { MemoryStore, sessionState } from '../../src/sessions/index.js';
import { KeyRing, RingSealer } from '../../src/tickets/index.js';
import { readCertificate } from '../../src/adapters/x509/certificate.js';
import { boringTickets } from './boring-ticket.js';
import { cipherSuiteGroups, inClientsOrder, type SuiteGroups } from './cipher-suites.js';
import { type Configuration, type CredentialFlags, Unimplemented } from './flags.js';

/** Type and tag of a record. */
const tls13Overhead = 17;

/** What connections of one process have in common. */
export interface World {
  readonly crypto: CryptoBackend;
  /** Milliseconds; moved by `-resumption-delay`. */
  time: number;
  readonly sessions: MemoryStore;
  readonly keys: KeyRing;
  readonly replayGuard: MemoryReplayGuard;
}

export function makeWorld(crypto: CryptoBackend): World {
  const world: Pick<World, 'crypto' | 'time'> = { crypto, time: 1_800_000_000_000 };
  const now = () => world.time;
  return Object.assign(world, {
    sessions: new MemoryStore({ now }),
    keys: new KeyRing({ crypto, now, automaticRotation: true }),
    replayGuard: new MemoryReplayGuard({ now, freshnessWindow: 60_000 }),
  });
}

/** What happened inside of a connection that its events do not tell. */
export interface Seen {
  /** The configuration in force: another one once early data was rejected. */
  config: Configuration;
  readonly retry: Configuration;
  offeredEarlyData?: boolean;
  hello?: ClientHelloInfo;
  request?: CertificateRequestInfo;
  /** TLS 1.2 servers: a session was stored under its ID. */
  stored?: boolean;
  /** Which of the credentials has signed, in the order of their flags. */
  signedWith?: number;
  /** How often a new chain of the peer was judged. */
  verified: number;
  readonly trafficSecrets: Map<string, Uint8Array>;
}

function commonOptions(config: Configuration, world: World, seen: Seen): CommonOptions {
  const { 'verify-prefs': prefs, curves } = config;
  return {
    crypto: world.crypto,
    now: () => world.time,
    ...versions(config),
    cipherSuites: cipherSuiteGroups(config.cipher).flat(),
    ...(curves !== undefined && { groups: groups(curves) }),
    signatureSchemes: verifyPrefs(prefs ?? defaultVerifyPrefs),
    externalPsks: psks(config),
    allowShortTls12Psks: true,
    allowMissingExtendedMasterSecret: true,
    allowResumptionWithoutExtendedMasterSecret: true,
    keyLog: (line) => {
      const [label, , secret] = line.split(' ');
      seen.trafficSecrets.set(label!, new Uint8Array(Buffer.from(secret!, 'hex')));
    },
  };
}

export function clientOptions(
  config: Configuration,
  world: World,
  seen: Seen,
  session: Session | undefined,
): ClientOptions {
  const { 'host-name': serverName, 'advertise-alpn': alpn, 'enable-early-data': earlyData } = config;
  const shares = keyShares(config);
  const { psk, 'psk-identity': identity = '' } = config;
  return {
    ...commonOptions(config, world, seen),
    ...(serverName !== undefined && { serverName }),
    ...(alpn !== undefined && { alpnProtocols: protocols(alpn) }),
    ...(shares !== undefined && { keyShareGroups: shares }),
    ...(session !== undefined && { session }),
    ...(earlyData === true && { earlyData }),
    tickets: config['no-ticket'] !== true,
    requestOcspResponse: config['enable-ocsp-stapling'] === true,
    requestSignedCertificateTimestamps: config['enable-signed-cert-timestamps'] === true,
    grease: config['enable-grease'] === true,
    permuteExtensions: config['permute-extensions'] === true,
    credentials: x509Credentials(config, world, seen),
    ...(psk !== undefined && {
      selectTls12Psk: (hint) => {
        if (!Buffer.from(hint).equals(Buffer.from(identity))) throw new Error('got another hint than was expected');
        return { identity: Buffer.from(identity), key: Buffer.from(psk) };
      },
    }),
    chooseCredentials: (request) => {
      seen.request = request;
      if (config['fail-cert-callback'] === true) throw new Error('there is no certificate');
      return later(config, x509Credentials(config, world, seen));
    },
    verifyCertificate: verifier(seen),
    allowServersWithoutSecureRenegotiation: config['no-legacy-server-connect'] !== true,
  };
}

export function configuredServer(config: Configuration, world: World, seen: Seen): ServerSettings {
  const credentials = x509Credentials(config, world, seen);
  const { 'use-client-ca-list': authorities, cipher, psk, 'psk-identity': identity = '' } = config;
  const alpnProtocols = selectable(config);
  const options: ServerOptions = {
    ...commonOptions(config, world, seen),
    credentials,
    ...(alpnProtocols !== undefined && { alpnProtocols }),
    ...ticketOptions(config, world, seen),
    ...(psk !== undefined && {
      findTls12Psk: (given: Uint8Array) =>
        Buffer.from(given).equals(Buffer.from(identity)) ? Buffer.from(psk) : undefined,
      tls12PskIdentityHint: Buffer.from(identity),
    }),
    sessions: watched(world.sessions, config, seen),
    ...(config['enable-early-data'] === true && {
      earlyData: {
        maxSize: 14336,
        replayGuard: world.replayGuard,
        ticketsAreOfThisProcessAlone: true,
        freshnessWindow: 60_000,
      },
    }),
    clientAuthentication: clientAuthentication(config),
    verifyCertificate: verifier(seen),
    certificateAuthorities: authorities === undefined || authorities.startsWith('<') ? [] : derNames(authorities),
    retryForPreferredGroup: true,
    alwaysMiddleboxCompatible: true,
    // BoringSSL counts tags and types as well.
    maximumSkippedEarlyData: 2 ** 14 - tls13Overhead,
    resumptionAcrossNames: config['resumption-across-names-enabled'] === true,
    revealUnknownPskIdentities: true,
    grease: true,
    acknowledgeServerName: config['no-server-name-ack'] !== true,
  };
  return serverSettings({
    ...options,
    chooseSettings: (hello) => {
      seen.hello = hello;
      if (config['fail-early-callback'] === true)
        throw new AlertError('handshake_failure', 'got a client that is not wanted');
      if (config['fail-ddos-callback'] === true) throw new Error('got too many clients');
      if (config['fail-cert-callback'] === true) throw new Error('there is no certificate');
      const { cipherSuites: offered } = hello;
      // Credentials of ML-DSA leave no version but TLS 1.3, and the library says so.
      if (credentials.some(({ signer }) => signer.publicKey.kind === 'mldsa') && !hello.versions.includes('TLSv1.3'))
        throw new AlertError('handshake_failure', 'got no version that the certificate can be used with');
      const empty = config['select-empty-alpn'] === true && { alpnProtocols: [''] };
      const cipherSuites = chosenSuites(cipherSuiteGroups(cipher), offered);
      const chosen = { cipherSuites, ...equalGroups(config, hello), ...pskOrCertificate(config, hello), ...empty };
      return later(config, serverSettings({ ...options, ...chosen }));
    },
  });
}

/** BoringSSL takes the suite of TLS 1.3 first and a session second: what the session prefers does not count. */
function chosenSuites(groups: SuiteGroups, offered: ClientHelloInfo['cipherSuites']): readonly SupportedCipherSuite[] {
  const ordered = inClientsOrder(groups, offered);
  const isTls13 = (suite: string) => !suite.includes('_WITH_');
  const first = ordered.find((suite) => isTls13(suite) && offered.includes(suite));
  return ordered.filter((suite) => !isTls13(suite) || first === undefined || suite === first);
}

/** `-curves-flags`: 1 says that a group and the next are equal, and the client's order decides. */
function equalGroups({ curves, 'curves-flags': flags }: Configuration, hello: ClientHelloInfo): Partial<ServerOptions> {
  if (curves === undefined || flags === undefined) return {};
  const rank = (group: string) =>
    hello.groups.includes(group as KeyExchangeGroup) ? hello.groups.indexOf(group as KeyExchangeGroup) : Infinity;
  const sets: KeyExchangeGroup[][] = [[]];
  for (const [i, group] of groups(curves).entries()) {
    sets.at(-1)!.push(group);
    if (flags[i] !== 1) sets.push([]);
  }
  return { groups: sets.flatMap((set) => set.sort((a, b) => rank(a) - rank(b))) };
}

/** BoringSSL goes through certificates and PSKs in one order; here a certificate stands back where a PSK fits. */
function pskOrCertificate({ credentials }: Configuration, hello: ClientHelloInfo): Partial<ServerOptions> {
  const usable = hello.signatureSchemes.length > 0;
  return credentials[0]?.kind === 'x509' && usable ? { externalPsks: [] } : {};
}

/** What `-async` makes of an answer. */
function later<T>(config: Configuration, value: MaybePromise<T>): MaybePromise<T> {
  return config.async === true ? new Promise((resolve) => setImmediate(() => resolve(value))) : value;
}

function onlyPsks({ credentials }: Configuration): boolean {
  return credentials.length > 0 && credentials.every(({ kind }) => kind === 'psk');
}

function versions(config: Configuration): Pick<CommonOptions, 'minVersion' | 'maxVersion'> {
  const { 'min-version': min = 0, 'max-version': max = 0xffff } = config;
  const tls12 =
    min <= protocolVersions['TLSv1.2'] &&
    max >= protocolVersions['TLSv1.2'] &&
    config['no-tls12'] !== true &&
    (config.server !== true || !onlyPsks(config)) &&
    // Without an elliptic curve there is no suite of it.
    config.curves?.every((curve) => postQuantum.includes(curve)) !== true;
  const tls13 = max >= protocolVersions['TLSv1.3'] && config['no-tls13'] !== true;
  if (!tls12 && !tls13) {
    if (config['no-tls1'] === true && config['no-tls11'] === true) throw new Error('no version is enabled');
    throw new Unimplemented('TLS 1.1 and older');
  }
  return { minVersion: tls12 ? 'TLSv1.2' : 'TLSv1.3', maxVersion: tls13 ? 'TLSv1.3' : 'TLSv1.2' };
}

/** What BoringSSL verifies by default, and the runner takes for granted. */
const defaultVerifyPrefs = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201];

/** What BoringSSL signs with by default. */
const defaultSigningPrefs = [
  0x0904, 0x0905, 0x0906, 0x0807, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0203,
  0x0201,
];

function groups(numbers: readonly number[]): KeyExchangeGroup[] {
  return numbers.map((number) => nameIn(namedGroups, number) as KeyExchangeGroup);
}

const postQuantum: readonly number[] = [namedGroups.X25519MLKEM768, namedGroups.MLKEM1024];

/** The hint of a server's groups comes first: the most preferred one that is in it. */
function keyShares(config: Configuration): readonly KeyExchangeGroup[] | undefined {
  const { curves = [], 'server-supported-groups-hint': hint = [], 'key-shares': shares } = config;
  const hinted = curves.find((curve) => hint.includes(curve));
  if (hinted !== undefined) return groups([hinted]);
  if (config['no-key-shares'] === true) return [];
  if (shares !== undefined) return groups(shares);
  const [first] = curves;
  if (first === undefined) return undefined;
  // One of each kind, the most preferred first.
  const other = curves.find((curve) => postQuantum.includes(curve) !== postQuantum.includes(first));
  return groups(other === undefined ? [first] : [first, other]);
}

/** A list with nothing for the peer's version is refused when it is configured: Ed25519 stands beside it, which nobody uses there. */
function verifyPrefs(numbers: readonly number[]): SignatureSchemeName[] {
  const known = schemes(numbers);
  return known.every((scheme) => scheme.endsWith('_legacy')) ? [...known, 'ed25519'] : known;
}

/** Numbers that nobody knows are passed over, as a list of preferences that is longer than what there is. */
function schemes(numbers: readonly number[]): SignatureSchemeName[] {
  const known: readonly number[] = Object.values(signatureSchemes);
  return numbers
    .filter((number) => known.includes(number))
    .map((number) => nameIn(signatureSchemes, number) as SignatureSchemeName);
}

/** Those that a key can do. */
function schemesOf(key: PublicKey, numbers: readonly number[]): SignatureSchemeName[] {
  const family = key.kind === 'mldsa' ? key.parameterSet.toLowerCase().replaceAll('-', '') : key.kind;
  return schemes(numbers).filter((scheme) => scheme.startsWith(family) && !scheme.startsWith('rsa_pss_pss'));
}

/** The library says itself whether it supports what has this name. */
function nameIn(table: Record<string, number>, number: number): string {
  const name = Object.keys(table).find((candidate) => table[candidate] === number);
  if (name === undefined) throw new Unimplemented(`number ${number}`);
  return name;
}

/** The wire's form of a list of protocols: each with its length before it. */
function protocols(list: string): string[] {
  const names: string[] = [];
  for (let at = 0; at < list.length;) {
    const end = at + 1 + list.charCodeAt(at);
    names.push(list.slice(at + 1, end));
    at = end;
  }
  return names;
}

/** What the server takes; a name that no client sends refuses them all. */
function selectable(config: Configuration): readonly string[] | undefined {
  const { 'select-alpn': selected, 'reject-alpn': reject, 'decline-alpn': decline } = config;
  if (reject === true) return ['\0'];
  return decline === true || selected === undefined || selected === '' ? undefined : [selected];
}

function psks(config: Configuration): ExternalPskOptions[] {
  return config.credentials
    .filter(({ kind }) => kind === 'psk')
    .map((flags) => ({
      identity: flags['psk-importer-identity'] ?? new Uint8Array(),
      key: flags['psk-importer-key'] ?? new Uint8Array(),
      context: flags['psk-importer-context'] ?? new Uint8Array(),
      hash: flags['psk-importer-sha384'] === true ? 'sha384' : 'sha256',
      role: config.server === true ? 'server' : 'client',
    }));
}

/** The credentials of flags of their own, or else the one without. */
function x509Credentials(config: Configuration, { crypto }: World, seen: Seen): readonly Credentials[] {
  const own = [...config.credentials.entries()].filter(([, { kind }]) => kind === 'x509');
  const all: [number, CredentialFlags][] = own.length > 0 ? own : [[-1, config.credential]];
  return all.flatMap(([index, flags]) => credentialsOf(config, flags, crypto, () => (seen.signedWith = index)));
}

function credentialsOf(
  config: Configuration,
  flags: CredentialFlags,
  crypto: CryptoBackend,
  noteUse: () => void,
): Credentials[] {
  const { 'cert-file': cert, 'key-file': key, 'signing-prefs': prefs } = flags;
  if (cert === undefined || key === undefined) return [];
  const { certificates, signer } = credentialsFromPem({ cert: readFileSync(cert), key: readFileSync(key), crypto });
  const noting: Signer = {
    publicKey: signer.publicKey,
    sign: (algorithm, data) => {
      noteUse();
      return later(config, signer.sign(algorithm, data));
    },
  };
  const own = schemesOf(signer.publicKey, prefs ?? defaultSigningPrefs);
  const { 'ocsp-response': ocspResponse, 'signed-cert-timestamps': signedCertificateTimestamps } = flags;
  return [
    {
      certificates,
      signer: noting,
      signatureSchemes: own,
      ...(ocspResponse !== undefined && { ocspResponse }),
      ...(signedCertificateTimestamps !== undefined && { signedCertificateTimestamps }),
    },
  ];
}

function clientAuthentication(config: Configuration): 'none' | 'request' | 'require' {
  // A PSK leaves no room for a certificate, and BoringSSL forgets that it wanted one.
  if (onlyPsks(config)) return 'none';
  if (config['verify-peer'] === true) return 'request';
  return config['require-any-client-certificate'] === true ? 'require' : 'none';
}

const anyCertificate = acceptAnyCertificateForTesting();

/**
 * A client that was not told to verify takes what comes. One that has nothing but PSKs takes no certificate.
 */
function verifier(seen: Seen) {
  return (question: CertificateQuestion): MaybePromise<CertificateVerdict> => {
    // Whoever judges a new chain after early data was offered does so after it was rejected.
    const config = seen.offeredEarlyData === true && !question.resumed ? seen.retry : seen.config;
    if (!question.resumed) seen.verified++;
    const judges = !question.resumed || config['reverify-on-resume'] === true;
    if (judges && config['verify-fail'] === true && verifies(config)) return later(config, refusal(config));
    if (onlyPsks(config) && !verifies(config))
      return { accepted: false, alert: 'protocol_version', reason: 'this client wants a PSK of TLS 1.3' };
    const [leaf] = question.certificates;
    if (leaf !== undefined && readCertificate(leaf)?.keyUsage?.digitalSignature === false)
      return { accepted: false, alert: 'unsupported_certificate', reason: 'this key may not sign (keyUsage)' };
    const verdict = anyCertificate(question);
    return later(config, verdict.accepted ? verdict : { ...verdict, alert: 'decode_error' });
  };
}

function verifies(config: Configuration): boolean {
  const { 'verify-peer': verify, server, 'require-any-client-certificate': require } = config;
  return verify === true || (server === true && require === true);
}

export function refusal(config: Configuration) {
  const alert = config['use-custom-verify-callback'] === true ? 'certificate_unknown' : 'handshake_failure';
  return { accepted: false, alert, reason: 'told so' } as const;
}

function ticketOptions(config: Configuration, world: World, seen: Seen): Partial<ServerOptions> {
  const { 'ticket-key': key } = config;
  if (config['no-ticket'] === true) return { ticketCount: 0 };
  if (key !== undefined) return boringTickets(world.crypto, key);
  const sealer = new RingSealer({ keys: world.keys });
  const tickets: TicketSealer = {
    seal: (state) => {
      if (config['skip-ticket'] === true) throw new UsageError('no_sealing_key', 'told so');
      return later(config, sealer.seal(state));
    },
    open: (ticket) => {
      const opened = sealer.open(ticket);
      // BoringSSL wants the very suite of the session to be on offer, where RFC 8446 4.2.11 wants its hash.
      const session = opened.state && sessionState.decode(opened.state);
      if (session?.version === 'TLSv1.3' && seen.hello?.cipherSuites.includes(session.cipherSuite) === false)
        return later(config, { reason: 'malformed' } as const);
      const renew = config['renew-ticket'] === true;
      return later(config, opened.state === undefined ? opened : { state: opened.state, renew });
    },
  };
  return { tickets };
}

function watched(store: MemoryStore, config: Configuration, seen: Seen): SessionStore {
  return {
    get: (key) => later(config, store.get(key)),
    set: (key, value, expiresAt) => {
      seen.stored = true;
      store.set(key, value, expiresAt);
    },
    delete: (key) => {
      store.delete(key);
    },
  };
}

/** DER in hex, with commas between. */
function derNames(hex: string): Uint8Array[] {
  return hex.split(',').map((name) => new Uint8Array(Buffer.from(name, 'hex')));
}
