/** Refusals of a TLS 1.3 server that testers look for from outside: which alert it is, and that it can be read. */
import { describe, expect, it } from 'vitest';
import { alertDescriptions } from '../../src/alert.js';
import { toHex } from '../../src/bytes.js';
import { clientConnection, Connection, serverConnection } from '../../src/connection/connection.js';
import { clientHandshake } from '../../src/handshake/client.js';
import { HandshakeState } from '../../src/handshake/handshake-state.js';
import type { ClientSettings } from '../../src/handshake/settings.js';
import { handshakeTypes } from '../../src/parameters.js';
import { makeEnd, pump, theEvent, tls13Client, tls13Server } from '../support/connections.js';
import { ed25519Credentials } from '../support/credentials.js';

type Edit = (message: Uint8Array) => Uint8Array;

/** A client whose messages are edited on their way out. */
function editingClient(settings: ClientSettings, edit: Edit) {
  class EditingState extends HandshakeState<ClientSettings> {
    override sendBytes(bytes: Uint8Array): Uint8Array {
      super.sendBytes(edit(bytes));
      return bytes;
    }
  }
  return makeEnd(
    (options) =>
      new Connection(
        'client',
        (transport) => {
          const state = new EditingState('client', settings, transport);
          return { state, flow: clientHandshake(state) };
        },
        options,
      ),
    'sync',
  );
}

function refusalOf(settings: ClientSettings, edit: Edit) {
  const server = makeEnd((options) => serverConnection(tls13Server('node', 'refusals'), options), 'sync');
  pump({ client: editingClient(settings, edit), server, segments: [] });
  return theEvent(server, 'close').error;
}

describe.each(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] as const)('%s: a Finished', (cipherSuite) => {
  const client = tls13Client('node', 'finished', { cipherSuites: [cipherSuite] });
  const finished = (change: Edit): Edit => {
    return (message) => (message[0] === handshakeTypes.finished ? change(message) : message);
  };
  const ofLength = (length: number): Edit =>
    finished(() => Uint8Array.from([handshakeTypes.finished, 0, 0, length, ...new Uint8Array(length)]));

  it('that is too short or too long is decrypt_error', () => {
    for (const length of [16, 40, 64])
      expect(refusalOf(client, ofLength(length))).toMatchObject({ alert: 'decrypt_error' });
  });

  it('with one wrong bit is decrypt_error', () => {
    const flipped = finished((message) => message.map((byte, i) => (i === message.length - 1 ? byte ^ 1 : byte)));
    expect(refusalOf(client, flipped)).toMatchObject({ alert: 'decrypt_error' });
  });
});

describe('a ClientHello', () => {
  it.each([0x0000, 0x0200, 0x0300])('of version %i is protocol_version, whatever its extensions say', (version) => {
    const edit: Edit = (message) => {
      if (message[0] !== handshakeTypes.client_hello) return message;
      const edited = message.slice();
      new DataView(edited.buffer).setUint16(4, version);
      return edited;
    };
    expect(refusalOf(tls13Client('node', 'version'), edit)).toMatchObject({ alert: 'protocol_version' });
  });

  it('without a fitting signature scheme is refused in plaintext, before any ServerHello', () => {
    const settings = tls13Server('node', 'scheme', { credentials: [ed25519Credentials] });
    const server = serverConnection(settings, { driver: 'sync' });
    const client = tls13Client('node', 'scheme', { signatureSchemes: ['ecdsa_secp256r1_sha256'] });
    server.receive(clientConnection(client, { driver: 'sync' }).takeOutput());
    const description = alertDescriptions.handshake_failure.toString(16);
    expect(toHex(server.takeOutput())).toMatch(new RegExp(`^15030[1-3]000202${description}$`));
  });
});
