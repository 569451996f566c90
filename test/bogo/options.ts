/**
 * From flags to the options of this library: what BoringSSL's shim does in callbacks stands here in options and in answers.
 */
import { readFileSync } from 'node:fs';
import { acceptAnyCertificateForTesting, credentialsFromPem } from '../../src/adapters/node/index.js';
import { MemoryReplayGuard } from '../../src/early-data/index.js';
import {
  AlertError,
  type CertificateVerdict,
  type ClientHelloInfo,
  type ClientOptions,
  type CommonOptions,
  type Credentials,
  type CryptoBackend,
  type ExternalPskOptions,
  type KeyExchangeGroup,
  type MaybePromise,
  type ServerOptions,
  type ServerSettings,
  type Session,
  type SessionStore,
  serverSettings,
  type SignatureSchemeName,
  type TicketSealer,
  UsageError,
} from '../../src/index.js';
import { namedGroups, protocolVersions, signatureSchemes } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/index.js';
import { KeyRing, Rfc5077Sealer } from '../../src/tickets/index.js';
import { boringSealer, boringState } from './boring-ticket.js';
import { cipherSuiteGroups, inClientsOrder } from './cipher-suites.js';
import { type Configuration, type CredentialFlags, Unimplemented } from './flags.js';

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
    replayGuard: new MemoryReplayGuard({ now }),
  });
}

/** What happened inside of a connection that its events do not tell. */
export interface Seen {
  hello?: ClientHelloInfo;
  /** TLS 1.2 servers: a session was stored under its ID. */
  stored?: boolean;
  /** How often the peer's chain was judged. */
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
    ...(prefs !== undefined && { signatureSchemes: prefs.map(schemeName) }),
    externalPsks: psks(config),
    allowMissingExtendedMasterSecret: true,
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
  return {
    ...commonOptions(config, world, seen),
    ...(serverName !== undefined && { serverName }),
    ...(alpn !== undefined && { alpnProtocols: protocols(alpn) }),
    ...(shares !== undefined && { keyShareGroups: shares }),
    ...(session !== undefined && { session }),
    ...(earlyData === true && { earlyData }),
    tickets: config['no-ticket'] !== true,
    credentials: x509Credentials(config),
    verifyCertificate: verifier(config, seen),
    allowServersWithoutSecureRenegotiation: config['no-legacy-server-connect'] !== true,
  };
}

export function configuredServer(config: Configuration, world: World, seen: Seen): ServerSettings {
  const credentials = x509Credentials(config);
  const { 'use-client-ca-list': authorities, cipher } = config;
  const alpnProtocols = selectable(config);
  const options: ServerOptions = {
    ...commonOptions(config, world, seen),
    credentials,
    ...(alpnProtocols !== undefined && { alpnProtocols }),
    ...ticketOptions(config, world),
    sessions: watched(world.sessions, config, seen),
    ...(config['enable-early-data'] === true && {
      earlyData: { maxSize: 14336, replayGuard: world.replayGuard, freshnessWindow: 60_000 },
    }),
    clientAuthentication: clientAuthentication(config),
    verifyCertificate: verifier(config, seen),
    certificateAuthorities: authorities === undefined || authorities.startsWith('<') ? [] : derNames(authorities),
    allowResumptionWithoutExtendedMasterSecret: true,
  };
  return serverSettings({
    ...options,
    chooseSettings: (hello) => {
      seen.hello = hello;
      if (config['fail-early-callback'] === true || config['fail-ddos-callback'] === true)
        throw new AlertError('handshake_failure', 'got a client that is not wanted');
      if (config['fail-cert-callback'] === true) throw new Error('there is no certificate');
      const { cipherSuites: offered } = hello;
      const settings =
        cipher === undefined
          ? options
          : { ...options, cipherSuites: inClientsOrder(cipherSuiteGroups(cipher), offered) };
      return later(config, serverSettings(settings));
    },
  });
}

/** What `-async` makes of an answer. */
function later<T>(config: Configuration, value: T): MaybePromise<T> {
  return config.async === true ? new Promise((resolve) => setImmediate(() => resolve(value))) : value;
}

function versions(config: Configuration): Pick<CommonOptions, 'minVersion' | 'maxVersion'> {
  const { 'min-version': min = 0, 'max-version': max = 0xffff } = config;
  const tls12 = min <= protocolVersions['TLSv1.2'] && max >= protocolVersions['TLSv1.2'] && config['no-tls12'] !== true;
  const tls13 = max >= protocolVersions['TLSv1.3'] && config['no-tls13'] !== true;
  if (!tls12 && !tls13) throw new Unimplemented('TLS 1.1 and older');
  return { minVersion: tls12 ? 'TLSv1.2' : 'TLSv1.3', maxVersion: tls13 ? 'TLSv1.3' : 'TLSv1.2' };
}

function groups(numbers: readonly number[]): KeyExchangeGroup[] {
  return numbers.map((number) => nameIn<KeyExchangeGroup>(namedGroups, number));
}

/** The hint of a server's groups comes first: the most preferred one that is in it. */
function keyShares(config: Configuration): readonly KeyExchangeGroup[] | undefined {
  const { curves = [], 'server-supported-groups-hint': hint = [], 'key-shares': shares } = config;
  const hinted = curves.find((curve) => hint.includes(curve));
  if (hinted !== undefined) return groups([hinted]);
  if (config['no-key-shares'] === true) return [];
  return shares && groups(shares);
}

function schemeName(number: number): SignatureSchemeName {
  return nameIn<SignatureSchemeName>(signatureSchemes, number);
}

/** The library says itself whether it supports what has this name. */
function nameIn<Name extends string>(table: Record<string, number>, number: number): Name {
  const name = Object.keys(table).find((candidate) => table[candidate] === number);
  if (name === undefined) throw new Unimplemented(`number ${number}`);
  return name as Name;
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
  const {
    'select-alpn': selected,
    'select-empty-alpn': empty,
    'reject-alpn': reject,
    'decline-alpn': decline,
  } = config;
  if (empty === true) return [''];
  if (reject === true) return ['\0'];
  return decline === true || selected === undefined ? undefined : [selected];
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
export function x509Credentials(config: Configuration): readonly Credentials[] {
  const own = config.credentials.filter(({ kind }) => kind === 'x509');
  return (own.length > 0 ? own : [config.credential]).flatMap((flags) => credentialsOf(config, flags));
}

function credentialsOf(config: Configuration, flags: CredentialFlags): Credentials[] {
  const { 'cert-file': cert, 'key-file': key, 'signing-prefs': prefs } = flags;
  if (cert === undefined || key === undefined) return [];
  const { certificates, signer } = credentialsFromPem({ cert: readFileSync(cert), key: readFileSync(key) });
  const asked: Credentials = {
    certificates,
    signer: {
      publicKey: signer.publicKey,
      sign: async (algorithm, data) => later(config, await signer.sign(algorithm, data)),
    },
  };
  return [
    {
      ...(config.async === true ? asked : { certificates, signer }),
      ...(prefs !== undefined && { signatureSchemes: prefs.map(schemeName) }),
    },
  ];
}

function clientAuthentication(config: Configuration): 'none' | 'request' | 'require' {
  if (config['verify-peer'] === true) return 'request';
  return config['require-any-client-certificate'] === true ? 'require' : 'none';
}

const anyCertificate = acceptAnyCertificateForTesting();

/** A client that was not told to verify takes what comes, and only remembers that it is wrong. */
function verifier(config: Configuration, seen: Seen) {
  const matters =
    config['verify-peer'] === true || (config.server === true && config['require-any-client-certificate'] === true);
  return (question: Parameters<typeof anyCertificate>[0]): MaybePromise<CertificateVerdict> => {
    if (!question.resumed || config['reverify-on-resume'] === true) seen.verified++;
    const fails =
      config['verify-fail'] === true && matters && (!question.resumed || config['reverify-on-resume'] === true);
    const alert = config['use-custom-verify-callback'] === true ? 'certificate_unknown' : 'handshake_failure';
    return later(config, fails ? { accepted: false, alert, reason: 'told so' } : anyCertificate(question));
  };
}

function ticketOptions(config: Configuration, world: World): Partial<ServerOptions> {
  const { 'ticket-key': key } = config;
  if (config['no-ticket'] === true) return {};
  if (key !== undefined) return { tickets: boringSealer(key), ticketEncoding: boringState };
  const sealer = new Rfc5077Sealer({ crypto: world.crypto, keys: world.keys });
  const tickets: TicketSealer = {
    seal: (state) => {
      if (config['skip-ticket'] === true) throw new UsageError('no_sealing_key', 'told so');
      return later(config, sealer.seal(state));
    },
    open: (ticket) => {
      const opened = sealer.open(ticket);
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
export function derNames(hex: string): Uint8Array[] {
  return hex.split(',').map((name) => new Uint8Array(Buffer.from(name, 'hex')));
}
