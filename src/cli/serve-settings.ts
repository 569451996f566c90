/** From the options of `serve` to the settings of its connections. Whatever does not fit is refused before anybody connects. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import {
  certificatesFromPem,
  credentials,
  privateKeyFromPem,
  type PrivateKeyFromPem,
} from '../adapters/x509/credentials.js';
import { nodeVerifier } from '../adapters/x509/node-verifier.js';
import { serverSettings } from '../connection/config.js';
import type { CryptoBackend, PublicKey, Signer } from '../crypto/backend.js';
import { MemoryReplayGuard } from '../early-data/memory-replay-guard.js';
import { UsageError } from '../errors.js';
import type { Credentials, ServerSettings } from '../handshake/settings.js';
import { defaultMaxBytes, MemoryStore } from '../sessions/memory-store.js';
import { defaultOpeningPeriod } from '../tickets/key-ring-options.js';
import { KeyRing } from '../tickets/key-ring.js';
import { RingSealer } from '../tickets/ring-sealer.js';
import { cryptoBackend, handshakeOptions, rawPrivateKey } from './backend.js';
import { refuse } from './failure.js';
import { keyLog, readFile, ticketKeys } from './files.js';
import type { ServeFlags } from './flags.js';

export async function serveSettings(flags: ServeFlags): Promise<ServerSettings> {
  const crypto = await cryptoBackend(flags);
  return serverSettings({
    now: Date.now,
    crypto,
    credentials: identities(flags, crypto),
    ...handshakeOptions(flags, 'server'),
    // A server to test with takes old clients and narrow ones; with forward secrecy where they leave the choice.
    allowMissingExtendedMasterSecret: true,
    pskKeyExchangeModes: ['psk_dhe_ke', 'psk_ke'],
    ...(flags.ciphers !== undefined && { cipherSuites: flags.ciphers }),
    ...(flags.alpn !== undefined && { alpnProtocols: flags.alpn }),
    ...sessionOptions(flags, crypto),
    ...clientOptions(flags),
    ...keyLog(flags.keylog),
  });
}

/** Each chain finds its key. */
function identities({ cert, key, psk, crypto: name }: ServeFlags, crypto: CryptoBackend): Credentials[] {
  if (cert === undefined && psk !== undefined) return [];
  if (cert === undefined) throw new UsageError('invalid_option', 'serve needs --cert FILE, or --psk');
  const chains = cert.map((path) => inFile(path, certificatesFromPem));
  const keys = (key ?? cert).map((path) => inFile(path, privateKeyFromPem));
  return chains.map((chain) => {
    const own = credentials(chain, keys, crypto);
    const key = name === 'node' ? undefined : keyOf(chain, keys);
    return key === undefined ? own : { ...own, signer: signerOf(own.signer.publicKey, crypto, key) };
  });
}

/** noble prepares its tables when the first client comes, not while somebody waits for the server to start. */
function signerOf(publicKey: PublicKey, crypto: CryptoBackend, key: KeyObject): Signer {
  let signer: Signer | undefined;
  return { publicKey, sign: (algorithm, data) => (signer ??= crypto.signer(rawPrivateKey(key))).sign(algorithm, data) };
}

/** `undefined` for a key that is the backend's already. */
function keyOf([leaf]: readonly X509Certificate[], keys: readonly PrivateKeyFromPem[]): KeyObject | undefined {
  return keys.flatMap((key) => ('secretKeys' in key ? [] : [key])).find((key) => leaf?.checkPrivateKey(key));
}

function sessionOptions(flags: ServeFlags, crypto: CryptoBackend) {
  const now = Date.now;
  const lifetime = flags.lifetime * 1000;
  const { sessionCache, tickets, ticketKeys: files, earlyData } = flags;
  const keys = (): KeyRing =>
    new KeyRing({
      crypto,
      now,
      automaticRotation: files === undefined,
      openingPeriod: Math.max(lifetime, defaultOpeningPeriod),
      keys: files === undefined ? [] : ticketKeys(flags.ticketKeyLayout, files),
    });
  return {
    sessionLifetime: lifetime,
    ticketLifetimeHint: flags.lifetime,
    ticketLifetime: flags.lifetime,
    ...(tickets !== 'off' && { ticketCount: tickets }),
    ...(earlyData > 0 && { earlyData: { maxSize: earlyData, ...replayGuard(flags) } }),
    maximumSessionAge: lifetime,
    ...(sessionCache !== 'off' && {
      sessions: new MemoryStore({
        now,
        maxEntries: sessionCache,
        maxBytes: Math.max(sessionCache * roomForSession, defaultMaxBytes),
        maxLifetime: lifetime,
      }),
    }),
    ...(tickets !== 'off' && { tickets: new RingSealer({ keys: keys() }) }),
  };
}

/** Bytes; those with a client's certificates are longer. */
const roomForSession = 1024;

function replayGuard(flags: ServeFlags) {
  if (flags.replayGuard === 'off') return { acceptReplayedEarlyData: true } as const;
  const replayGuard = new MemoryReplayGuard({ now: Date.now });
  return { replayGuard, ticketsAreOfThisProcessAlone: flags.ticketKeys === undefined };
}

function clientOptions({ clientAuth, clientCa }: ServeFlags) {
  if (clientAuth === 'none') return {};
  if (clientCa === undefined)
    throw new UsageError('invalid_option', `--client-auth ${clientAuth} needs --client-ca FILE`);
  const verifyCertificate = inFile(clientCa, (ca) => nodeVerifier({ ca }));
  return { clientAuthentication: clientAuth, verifyCertificate };
}

/** Reads a file and what is in it; errors name the file. */
function inFile<T>(path: string, parse: (content: Uint8Array) => T): T {
  const content = readFile(path);
  try {
    return parse(content);
  } catch (error) {
    if (error instanceof UsageError) refuse(path, error);
    throw error;
  }
}
