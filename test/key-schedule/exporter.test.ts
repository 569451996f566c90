/** RFC 5705 keying material against OpenSSL's, on both ends of one connection: our client and server, node:tls opposite. */
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, connect as connectTls } from 'node:tls';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { ascii, empty, fromHex, toHex } from '../../src/bytes.js';
import { clientSettings, serverSettings } from '../../src/connection/config.js';
import { clientConnection, serverConnection, type Connection } from '../../src/connection/connection.js';
import type { CryptoBackend } from '../../src/crypto/backend.js';
import { nodeSigner, publicKeyOf } from '../../src/crypto/node.js';
import type { CertificateVerifier } from '../../src/handshake/settings.js';
import type { Tls12CipherSuite } from '../../src/key-schedule/suites.js';
import { readVectors } from '../support/vectors.js';
import { backends } from '../tickets/backends.js';

const { ecdsa, ca } = readVectors('captures/certificates.json') as Record<
  'ecdsa' | 'ca',
  { readonly certificatePem: string; readonly privateKeyPem: string }
>;

/** Certificates are not this test's matter: the key of whatever is shown counts. */
const acceptAny: CertificateVerifier = ({ certificates: [leaf = empty] }) => {
  const publicKey = publicKeyOf(new X509Certificate(leaf).publicKey);
  if (publicKey === undefined) return { accepted: false, alert: 'unsupported_certificate', reason: 'key' };
  return { accepted: true, publicKey };
};

const opened: Duplex[] = [];
afterEach(() => opened.splice(0).forEach((stream) => stream.destroy()));

/** A transport for node:tls that ends in `connection`. Resolves when our handshake is complete. */
function plug(connection: Connection, start: (transport: Duplex) => TLSSocket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const transport = new Duplex({
      read: () => undefined,
      write(chunk: Uint8Array, _encoding, done) {
        connection.receive(new Uint8Array(chunk));
        exchange();
        done();
      },
    });
    const exchange = () => {
      const output = connection.takeOutput();
      if (output.length > 0) transport.push(output);
      for (const event of connection.takeEvents()) {
        if (event.type === 'close') reject(event.error ?? new Error(event.reason));
        // The last flight may still have to reach node:tls.
        if (event.type === 'handshake') setImmediate(() => resolve(socket));
      }
    };
    const socket = start(transport);
    socket.on('error', reject);
    opened.push(socket, transport);
    exchange();
  });
}

function ourClient(crypto: CryptoBackend, cipherSuite: Tls12CipherSuite): Connection {
  const settings = clientSettings({ now: Date.now, crypto, cipherSuites: [cipherSuite], verifyCertificate: acceptAny });
  return clientConnection(settings, { driver: 'sync' });
}

function ourServer(crypto: CryptoBackend, cipherSuite: Tls12CipherSuite): Connection {
  const certificates = [ecdsa, ca].map(({ certificatePem }) => new Uint8Array(new X509Certificate(certificatePem).raw));
  const signer = nodeSigner(createPrivateKey(ecdsa.privateKeyPem));
  const credentials = [{ certificates, signer }];
  const settings = serverSettings({ now: Date.now, crypto, cipherSuites: [cipherSuite], credentials });
  return serverConnection(settings, { driver: 'sync' });
}

function asServer(transport: Duplex): TLSSocket {
  const secureContext = createSecureContext({
    cert: ecdsa.certificatePem,
    key: ecdsa.privateKeyPem,
    maxVersion: 'TLSv1.2',
  });
  return new TLSSocket(transport, { isServer: true, secureContext });
}

function asClient(transport: Duplex): TLSSocket {
  return connectTls({ socket: transport, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
}

/** Labels and contexts; `undefined` is "no context", which RFC 5705 4 tells apart from an empty one. */
const cases = [
  { label: 'EXPERIMENTAL tls-resume', context: undefined },
  { label: 'EXPERIMENTAL tls-resume', context: empty },
  { label: 'EXPORTER-Token-Binding', context: ascii('some context') },
  { label: 'EXPERIMENTAL long', context: fromHex('5a'.repeat(300)) },
] as const;

describe.each(backends)('exporter against node:tls ($name)', (crypto) => {
  it.each([
    { ours: 'client', cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' },
    { ours: 'client', cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' },
    { ours: 'server', cipherSuite: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256' },
    { ours: 'server', cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' },
  ] as const)('our $ours, $cipherSuite', async ({ ours, cipherSuite }) => {
    const connection = ours === 'client' ? ourClient(crypto, cipherSuite) : ourServer(crypto, cipherSuite);
    const socket = await plug(connection, ours === 'client' ? asServer : asClient);
    for (const { label, context } of cases) {
      for (const length of [1, 20, 32, 100]) {
        // Node takes no context as well; only its types do not.
        const theirs = socket.exportKeyingMaterial(length, label, (context && Buffer.from(context))!);
        expect(toHex(connection.exportKeyingMaterial(label, length, context))).toBe(toHex(theirs));
      }
    }
  });
});
