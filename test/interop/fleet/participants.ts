/**
 * Real servers that share ticket keys, each with a file of its own for them, and for each the target that this library takes it for.
 */
import { X509Certificate } from 'node:crypto';
import { nodeCrypto } from '../../../src/adapters/node/index.js';
import { ascii, fromAscii } from '../../../src/bytes.js';
import {
  apacheTarget,
  haproxyTarget,
  nginxTarget,
  nodeTarget,
  opensslTarget,
  type TicketTarget,
} from '../../../src/targets/index.js';
import { formatTicketKeys } from '../../../src/tickets/key-files/format.js';
import type { KeyFileLayoutName } from '../../../src/tickets/key-files/layouts.js';
import type { TicketLayout } from '../../../src/tickets/layout.js';
import { opensslLayout } from '../../../src/tickets/layouts/openssl.js';
import { generateTicketKey, type AesHmacTicketKey } from '../../../src/tickets/ticket-key.js';
import { identities } from '../../support/identities.js';
import { requirePeer } from '../../support/peers.js';
import { startNginx } from '../nginx.js';
import { startApache } from './apache.js';
import { startHaproxy } from './haproxy.js';
import { startLibssl } from './libssl.js';
import { startNodeTls } from './node-tls.js';
import type { FleetServer } from './rig.js';
import { serverName, visit } from './visit.js';

type Skip = (reason: string) => never;

/** A server of the fleet that runs. */
export interface Participant {
  readonly server: FleetServer;
  readonly target: TicketTarget;
}

/** One key that seals, one that waits and one that only opens, since HAProxy takes no less than three. */
export type FleetKeys = readonly [sealing: AesHmacTicketKey, next: AesHmacTicketKey, previous: AesHmacTicketKey];

/** AES-128 and 16 bytes for the MAC, or AES-256 and 32. */
export function fleetKeys(length: 16 | 32): FleetKeys {
  const newKey = () => {
    const key = generateTicketKey(nodeCrypto, { aesKeyLength: length });
    return { ...key, hmacKey: key.hmacKey.subarray(0, length) };
  };
  return [newKey(), { ...newKey(), sealsFrom: Infinity }, newKey()];
}

type Starter = (skip: Skip, keys: FleetKeys) => Promise<Participant>;

/** Those that take keys of 48 bytes. */
export const shortKeyStarters: Readonly<Record<string, Starter>> = {
  nginx48: (skip, keys) => nginx(skip, keys, 'nginx48'),
  haproxy48: (skip, keys) => haproxy(skip, keys, 'haproxy48'),
  apache48: async (skip, keys) => {
    const apache = requirePeer('apache2', skip);
    const server = await startApache(apache, { ticketKeys: oneFile('apache48', keys), serverName });
    return { server, target: await apacheTargetOf(server, apache.version, keys[0]) };
  },
  node48: async (_skip, keys) => {
    const sessionIdContext = 'of the fleet';
    const server = await startNodeTls({ ticketKeys: Buffer.from(oneFile('node48', keys)), sessionIdContext });
    // Without another context for some name there is no server_name callback, and no name is recorded.
    return { server, target: nodeTarget({ sessionIdContext, serverNamesOfUnnamedStates: [serverName] }) };
  },
};

/** Those that take keys of 80 bytes. */
export const longKeyStarters: Readonly<Record<string, Starter>> = {
  nginx80: (skip, keys) => nginx(skip, keys, 'nginx80'),
  haproxy80: (skip, keys) => haproxy(skip, keys, 'haproxy80'),
  openssl80: async (skip, keys) => {
    const sessionIdContext = ascii('of a program');
    const ticketKeys = oneFile('openssl80', keys);
    const server = await startLibssl(requirePeer('python3', skip), { ticketKeys, sessionIdContext });
    // As with Node.js: no callback, no name.
    return { server, target: opensslTarget({ sessionIdContext, serverNamesOfUnnamedStates: [serverName] }) };
  },
};

async function nginx(skip: Skip, keys: FleetKeys, layout: KeyFileLayoutName): Promise<Participant> {
  const files = formatTicketKeys(layout, keys).map((content, i) => [`${i}.key`, content] as const);
  const directives = files.map(([name]) => `ssl_session_ticket_key ${name};`).join(' ');
  const server = await startNginx(requirePeer('nginx', skip), directives, Object.fromEntries(files));
  const serverCertificates = [new X509Certificate(identities.ecdsa.cert).raw];
  return { server, target: nginxTarget({ serverCertificates }) };
}

async function haproxy(skip: Skip, keys: FleetKeys, layout: KeyFileLayoutName): Promise<Participant> {
  const [file] = formatTicketKeys(layout, keys);
  const server = await startHaproxy(requirePeer('haproxy', skip), { ticketKeys: fromAscii(file!) });
  return { server, target: haproxyTarget() };
}

/**
 * Apache 2.4 on OpenSSL 3 hands over the MAC key by a pointer to where it stood once: what is in effect are zeros, so far. The documented
 * key is tried first, for the release that corrects it.
 */
async function apacheTargetOf(server: FleetServer, version: string, key: AesHmacTicketKey): Promise<TicketTarget> {
  const target = apacheTarget({ serverName });
  const [session] = (await visit(server, 'TLSv1.2')).sessions;
  const opens = (layout: TicketLayout) => typeof layout.prepare(nodeCrypto, key).open(session!.ticket!) === 'object';
  const layout = [opensslLayout, withoutMacKey].find(opens);
  if (layout === undefined) throw new Error(`no known key opens a ticket of ${version}`);
  process.stdout.write(`${version}: MAC key ${layout === opensslLayout ? 'of its file' : 'of zeros'}\n`);
  return { ...target, layout };
}

/** The key of the file, but for its MAC key. */
const withoutMacKey: TicketLayout = {
  ...opensslLayout,
  prepare: (crypto, { name, aesKey = new Uint8Array(0) }) =>
    opensslLayout.prepare(crypto, { name, aesKey, hmacKey: new Uint8Array(16) }),
};

/** Of a server that has one key. */
function oneFile(layout: KeyFileLayoutName, [sealing]: FleetKeys): Uint8Array {
  const [file] = formatTicketKeys(layout, [sealing]);
  return file!;
}
