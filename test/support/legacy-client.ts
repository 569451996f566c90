/**
 * A client from before RFC 7627, made of ours: its ClientHello lacks extended_master_secret, and it resumes sessions that
 * have none. What it sends and what it hashes is what such a client would.
 */
import { Connection } from '../../src/connection/connection.js';
import { clientHandshake } from '../../src/handshake/client.js';
import { HandshakeState } from '../../src/handshake/handshake-state.js';
import type { Handshake } from '../../src/handshake/needs.js';
import type { ClientSettings } from '../../src/handshake/settings.js';
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from '../../src/messages/handshake.js';
import { handshakeTypes } from '../../src/parameters.js';
import type { RawHandshake } from '../../src/record/handshake-joiner.js';
import type { End } from './connections.js';

export function legacyClient(settings: ClientSettings): End {
  const connection = new Connection(
    'client',
    (transport) => {
      const state = new LegacyState('client', settings, transport);
      const resuming = settings.session !== undefined;
      return { state, flow: resuming ? believing(clientHandshake(state), state) : clientHandshake(state) };
    },
    { driver: 'sync' },
  );
  return { connection, events: [], wakes: 0 };
}

class LegacyState extends HandshakeState<ClientSettings> {
  /** What the flow is told, and what was on the wire. */
  told: Uint8Array | undefined;
  wire: Uint8Array | undefined;

  override send(message: HandshakeMessage<'TLSv1.2'>): Uint8Array {
    if (message.type !== 'client_hello') return super.send(message);
    const extensions = message.body.extensions?.filter(({ type }) => type !== 'extended_master_secret') ?? [];
    return super.send({ ...message, body: { ...message.body, extensions } });
  }
}

/** Tells the flow that the resumed ServerHello has the extension, and the transcript the truth. */
function believing<Result>(flow: Handshake<Result>, state: LegacyState): Handshake<Result> {
  const { transcript } = state;
  const add = transcript.add.bind(transcript);
  transcript.add = (bytes) => add(bytes === state.told && state.wire !== undefined ? state.wire : bytes);
  return deceived();

  function* deceived(): Handshake<Result> {
    let received: unknown;
    for (;;) {
      const step = flow.next(received);
      if (step.done === true) return step.value;
      received = yield step.value;
      if (isServerHello(received)) received = withExtension(received);
    }
  }

  function withExtension(serverHello: RawHandshake): RawHandshake {
    const message = decodeHandshake('TLSv1.2', serverHello.bytes);
    if (message.type !== 'server_hello') return serverHello;
    const extensions = [...(message.body.extensions ?? []), { type: 'extended_master_secret', data: {} } as const];
    state.wire = serverHello.bytes;
    state.told = encodeHandshake('TLSv1.2', { ...message, body: { ...message.body, extensions } });
    return { ...serverHello, bytes: state.told };
  }
}

function isServerHello(value: unknown): value is RawHandshake {
  return typeof value === 'object' && value !== null && 'bytes' in value && 'type' in value
    ? value.type === handshakeTypes.server_hello
    : false;
}
