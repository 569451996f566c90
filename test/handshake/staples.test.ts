/** OCSP responses and signed certificate timestamps beside a server's certificate (RFC 6066 8, RFC 6962 3.3, RFC 8446 4.4.2). */
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/bytes.js';
import type { ClientOptions, ServerOptions } from '../../src/connection/options.js';
import { clientConnection } from '../../src/connection/connection.js';
import { AlertError } from '../../src/errors.js';
import type { CertificateQuestion } from '../../src/handshake/settings.js';
import type { Extension, ExtensionType } from '../../src/messages/index.js';
import { MemoryStore } from '../../src/sessions/memory-store.js';
import {
  connect,
  driverNames,
  epoch,
  eventsOf,
  makeEnd,
  pump,
  testClient,
  testServer,
  theEvent,
  ticketSealer,
  tls13Client,
  tls13Server,
  type Changes,
  type Pair,
} from '../support/connections.js';
import { serverFlight } from '../support/attack-rig.js';
import { clientCredentials, ecdsaP256, ecdsaP384, trustingVerifier } from '../support/credentials.js';
import { changing, disguisedServer, withoutExtensions, type Disguise } from '../support/disguised.js';
import {
  clientMeets,
  helloOf,
  listening,
  outcome,
  saying,
  serverMeets,
  withExtensions,
} from '../support/tls13-rules.js';
import { readTraffic, theMessage } from '../support/traffic.js';

const ocspResponse = fromHex('30030a0100');
const signedCertificateTimestamps = fromHex('0006' + '0001aa' + '0001bb');
const timestamps = [fromHex('aa'), fromHex('bb')];
const both = { ocspResponse, signedCertificateTimestamps };
const stapled = { ...ecdsaP256, ...both };
const nothing = { ocspResponse: undefined, signedCertificateTimestamps: undefined };
const requestOcspResponse = true;
const requestSignedCertificateTimestamps = true;
const asking = { requestOcspResponse, requestSignedCertificateTimestamps };

describe.each(['noble', 'node'] as const)('with %s', (backend) => {
  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
    const only = { minVersion: version, maxVersion: version };
    const client = (changes: Changes<ClientOptions>) => testClient(backend, 'staples', { ...only, ...changes });
    const server = (changes: Changes<ServerOptions> = {}) =>
      testServer(backend, 'staples', { ...only, credentials: [stapled], ...changes });

    it.each<[string, Changes<ClientOptions>, object]>([
      ['nothing', {}, nothing],
      ['the response', { requestOcspResponse }, { ...nothing, ocspResponse }],
      ['the timestamps', { requestSignedCertificateTimestamps }, { ...nothing, signedCertificateTimestamps }],
      ['both', asking, both],
    ])('a client that asks for %s gets that, and its verifier sees it', async (_what, asks, expected) => {
      const questions: CertificateQuestion[] = [];
      const verifyCertificate = (question: CertificateQuestion) => {
        questions.push(question);
        return trustingVerifier(question);
      };
      const pair = await connect(client({ ...asks, verifyCertificate }), server());
      expect(theEvent(pair.client, 'handshake')).toMatchObject(expected);
      expect(theEvent(pair.server, 'handshake')).toMatchObject(nothing);
      expect(
        questions.map(({ ocspResponse, signedCertificateTimestamps }) => [ocspResponse, signedCertificateTimestamps]),
      ).toEqual([Object.values({ ...nothing, ...expected })]);
    });

    it('a server that has nothing sends nothing', async () => {
      const pair = await connect(client(asking), server({ credentials: [ecdsaP256] }));
      expect(theEvent(pair.client, 'handshake')).toMatchObject(nothing);
    });

    it('what is stapled belongs to the chain that is shown', async () => {
      const other = { ...ecdsaP384, ocspResponse: fromHex('3000') };
      const schemes = { signatureSchemes: ['ecdsa_secp384r1_sha384'], groups: ['secp384r1'] } as const;
      const pair = await connect(client({ ...asking, ...schemes }), server({ credentials: [stapled, other] }));
      expect(theEvent(pair.client, 'handshake')).toMatchObject({ ...nothing, ocspResponse: other.ocspResponse });
    });

    it.each(driverNames)(
      'the answer `find_ocsp_response` takes the place of the response, driver %s',
      async (driver) => {
        const asked: object[] = [];
        const find_ocsp_response = (question: object) => {
          asked.push(question);
          return fromHex('3001');
        };
        const options = { driver, server: { answers: { find_ocsp_response } } };
        const pair = await connect(client(asking), server(), options);
        expect(theEvent(pair.client, 'handshake').ocspResponse).toEqual(fromHex('3001'));
        expect(asked).toEqual([{ credentials: stapled }]);
        const silent = await connect(client({}), server(), options);
        expect(theEvent(silent.client, 'handshake')).toMatchObject(nothing);
        expect(asked).toHaveLength(1);
      },
    );

    it('never from a client', async () => {
      const credentials = [{ ...clientCredentials, ...both }];
      const pair = await connect(client({ credentials }), server({ clientAuthentication: 'require' }));
      expect(theEvent(pair.server, 'handshake')).toMatchObject(nothing);
      expect(theEvent(pair.server, 'handshake').peerCertificates).toHaveLength(2);
    });

    it.each(['given', 'stored'] as const)('a %s session remembers what a resumption does not bring', async (how) => {
      const { sealer } = ticketSealer(backend, 'staples');
      const questions: CertificateQuestion[] = [];
      const verifyCertificate = (question: CertificateQuestion) => {
        questions.push(question);
        return trustingVerifier(question);
      };
      const sessions = new MemoryStore({ now: () => epoch });
      const store = how === 'stored' ? { sessions } : {};
      const ticketing = server({ tickets: sealer, renewTickets: 'always' });
      const first = await connect(client({ ...asking, ...store }), ticketing);
      const [left] = eventsOf(first.client, 'session');
      let session = left?.session;
      for (let i = 0; i < 2; i++) {
        const offered = how === 'stored' || session === undefined ? store : { session };
        // What a connection remembers does not depend on what this one asks for.
        const again = await connect(client({ verifyCertificate, ...offered }), ticketing);
        expect(theEvent(again.client, 'handshake')).toMatchObject({ resumed: true, ...both });
        expect(questions.at(-1)).toMatchObject({ resumed: true, ...both });
        session = eventsOf(again.client, 'session').at(-1)?.session;
      }
      expect(questions).toHaveLength(2);
    });

    it.each<[string, Partial<typeof both>]>([
      ['an empty response', { ocspResponse: new Uint8Array(0) }],
      ['an empty list', { signedCertificateTimestamps: fromHex('0000') }],
      ['an empty timestamp', { signedCertificateTimestamps: fromHex('00020000') }],
      ['a list that is cut off', { signedCertificateTimestamps: fromHex('00060001aa0001') }],
      ['a list with bytes after it', { signedCertificateTimestamps: fromHex('00030001aabb') }],
    ])('%s is refused by a server', (_what, bad) => {
      expect(() => server({ credentials: [{ ...ecdsaP256, ...bad }] })).toThrow(
        expect.objectContaining({ name: 'UsageError', code: 'invalid_option' }),
      );
    });
  });

  it.each(['text', 5, {}, new Uint8Array(0)])(
    'P-state-8 an answer that is no response ends the handshake: %o',
    async (bad) => {
      const find_ocsp_response = () => bad as Uint8Array;
      const pair = await connect(
        testClient(backend, 'bad', asking),
        testServer(backend, 'bad', { credentials: [stapled] }),
        { server: { answers: { find_ocsp_response } } },
      );
      expect(theEvent(pair.server, 'close')).toMatchObject({ reason: 'error', error: { code: 'invalid_option' } });
    },
  );
});

it('the requests are as RFC 6066 8 and RFC 6962 3.3.1 have them', () => {
  const { extensions } = helloOf(tls13Client('node', 'requests', asking));
  expect(
    extensions?.filter(({ type }) => type === 'status_request' || type === 'signed_certificate_timestamp'),
  ).toEqual([
    {
      type: 'status_request',
      data: { statusType: 'ocsp', request: { responderIdList: [], requestExtensions: fromHex('') } },
    },
    { type: 'signed_certificate_timestamp', data: {} },
  ]);
  const silent = helloOf(tls13Client('node', 'requests')).extensions?.map(({ type }) => type);
  expect(silent).not.toContain('status_request');
  expect(silent).not.toContain('signed_certificate_timestamp');
});

it('a request for a status of another type is not answered', () => {
  const other = { type: 'status_request', data: { statusType: 2, request: fromHex('00') } } as const;
  const { heard, says } = listening('certificate');
  const client = tls13Client('node', 'other', { shapeClientHello: (extensions) => [...extensions, other] });
  expect(clientMeets(client, tls13Server('node', 'other', { credentials: [stapled] }), says)).toBe('full: not_offered');
  expect(heard.map(({ certificateList: [leaf] }) => leaf?.extensions)).toEqual([[]]);
});

describe('TLS 1.3', () => {
  const status = (response = ocspResponse) =>
    ({ type: 'status_request', data: { statusType: 'ocsp', response } }) as const;
  const list = { type: 'signed_certificate_timestamp', data: timestamps } as const;
  /** An extension by number: its bytes stand for themselves. */
  const raw = (type: number, hex: string) =>
    ({ type: type as ExtensionType, data: fromHex(hex) }) as Extension<'certificate'>;
  const meets = (
    ofLeaf: readonly Extension<'certificate'>[],
    ofIssuer: readonly Extension<'certificate'>[] = [],
    asks: Changes<ClientOptions> = asking,
  ) =>
    clientMeets(
      tls13Client('node', 'entry', asks),
      tls13Server('node', 'entry'),
      saying('certificate', (body) => ({
        ...body,
        certificateList: body.certificateList.map((entry, i) => ({
          ...entry,
          extensions: i === 0 ? ofLeaf : ofIssuer,
        })),
      })),
    );

  it('a server sends them with the leaf alone', () => {
    const { heard, says } = listening('certificate');
    const server = tls13Server('node', 'leaf', { credentials: [stapled] });
    expect(clientMeets(tls13Client('node', 'leaf', asking), server, says)).toBe('full: not_offered');
    expect(heard.map(({ certificateList }) => certificateList.map(({ extensions }) => extensions))).toEqual([
      [[status(), list], []],
    ]);
  });

  it('those of other certificates are ignored', () => {
    expect(meets([], [status(), list])).toBe('full: not_offered');
  });

  it.each<[string, Changes<ClientOptions>, Extension<'certificate'>]>([
    ['a status', { requestSignedCertificateTimestamps }, status()],
    ['timestamps', { requestOcspResponse }, list],
    ['an unknown extension', asking, raw(0x7f, '')],
  ])('%s that nobody asked for: unsupported_extension', (_what, asks, extension) => {
    expect(meets([extension], [], asks)).toBe('client: unsupported_extension');
    expect(meets([], [extension], asks)).toBe('client: unsupported_extension');
  });

  it('what was asked for by the shape of the ClientHello is no surprise', () => {
    const shapeClientHello: ClientOptions['shapeClientHello'] = (extensions) => [
      ...extensions,
      { type: 'signed_certificate_timestamp', data: {} },
    ];
    expect(meets([list], [], { shapeClientHello })).toBe('full: not_offered');
    expect(
      meets([list], [], { ...asking, shapeClientHello: (all) => all.filter(({ type }) => type !== list.type) }),
    ).toBe('client: unsupported_extension');
  });

  it.each<[string, Extension<'certificate'>, string]>([
    ['an extension that belongs elsewhere', raw(51, ''), 'illegal_parameter'],
    ['an empty response', raw(5, '01000000'), 'decode_error'],
    ['a response that is cut off', raw(5, '0100000230'), 'decode_error'],
    ['bytes after the response', raw(5, '0100000130ff'), 'decode_error'],
    ['no response at all', raw(5, ''), 'decode_error'],
    ['a status of another type', raw(5, '02000130'), 'illegal_parameter'],
    ['an empty list', raw(18, '0000'), 'decode_error'],
    ['an empty timestamp', raw(18, '00020000'), 'decode_error'],
    ['bytes after the list', raw(18, '00030001aabb'), 'decode_error'],
  ])('%s: refused, with any certificate', (_what, extension, alert) => {
    expect(meets([extension])).toBe(`client: ${alert}`);
    expect(meets([], [extension])).toBe(`client: ${alert}`);
  });

  it('one twice: illegal_parameter', () => {
    expect(meets([status(), raw(5, '0100000130')])).toBe('client: illegal_parameter');
    expect(meets([list, raw(18, '00030001aa')])).toBe('client: illegal_parameter');
    expect(meets([], [list, raw(18, '00030001aa')])).toBe('client: illegal_parameter');
  });

  it.each([
    ['server_hello', 'illegal_parameter'],
    ['encrypted_extensions', 'unsupported_extension'],
  ] as const)('in %s: %s', (type, alert) => {
    for (const extension of [raw(5, ''), raw(18, '00030001aa')]) {
      const says = saying(type, withExtensions(extension));
      expect(clientMeets(tls13Client('node', 'place', asking), tls13Server('node', 'place'), says)).toBe(
        `client: ${alert}`,
      );
    }
  });

  it('from a client: unsupported_extension', () => {
    const client = tls13Client('node', 'mutual', { credentials: [clientCredentials] });
    const server = tls13Server('node', 'mutual', { clientAuthentication: 'require' });
    for (const extension of [status(), list])
      expect(
        serverMeets(
          client,
          server,
          saying('certificate', (body) => ({
            ...body,
            certificateList: body.certificateList.map((entry) => ({ ...entry, extensions: [extension] })),
          })),
        ),
      ).toBe('server: unsupported_extension');
  });
});

describe('TLS 1.2', () => {
  const { sealer } = ticketSealer('node', 'tls12 staples');
  const meet = (
    disguise: Disguise,
    ofClient: Changes<ClientOptions> = asking,
    ofServer: Changes<ServerOptions> = {},
  ): Pair =>
    pump({
      client: makeEnd((own) => clientConnection(testClient('node', 'hello', ofClient), own), 'sync'),
      server: disguisedServer(
        testServer('node', 'hello', { tickets: sealer, credentials: [stapled], ...ofServer }),
        disguise,
      ),
      segments: [],
    });
  const adding = (...added: Extension<'server_hello'>[]) =>
    changing('server_hello', (body) => ({ ...body, extensions: [...(body.extensions ?? []), ...added] }));
  const raw = (type: number, hex: string) =>
    ({ type: type as ExtensionType, data: fromHex(hex) }) as Extension<'server_hello'>;
  const replaced = (hex: string) => changing('certificate_status', () => ({ statusType: 1, response: fromHex(hex) }));
  const announced = raw(5, '');
  const list = raw(18, '0003' + '0001aa');
  const unstapled = { credentials: [ecdsaP256] };

  it('the server announces them in ServerHello, and the response follows the chain', () => {
    const pair = meet({});
    const items = readTraffic(pair.segments);
    const { extensions } = theMessage(items, 'server_hello').body;
    expect(
      extensions?.filter(({ type }) => type === 'status_request' || type === 'signed_certificate_timestamp'),
    ).toEqual([
      { type: 'status_request', data: {} },
      { type: 'signed_certificate_timestamp', data: timestamps },
    ]);
    expect(theMessage(items, 'certificate_status').body).toEqual({ statusType: 'ocsp', response: ocspResponse });
    expect(serverFlight(pair).slice(0, 4)).toEqual([
      'server_hello',
      'certificate',
      'certificate_status',
      'server_key_exchange',
    ]);
  });

  it('a response that was announced may be left out', () => {
    const { client } = meet({ says: adding(announced, list) }, asking, unstapled);
    expect(theEvent(client, 'handshake')).toMatchObject({
      ocspResponse: undefined,
      signedCertificateTimestamps: fromHex('0003' + '0001aa'),
    });
  });

  it('a response that was not announced: unexpected_message', () => {
    const says = changing('server_hello', withoutExtensions('status_request'));
    expect(outcome(meet({ says }))).toBe('client: unexpected_message');
  });

  it.each([
    ['a status', announced, { requestSignedCertificateTimestamps }],
    ['timestamps', list, { requestOcspResponse }],
  ])('%s announced to a client that did not ask: unsupported_extension', (_what, extension, asks) => {
    expect(outcome(meet({ says: adding(extension) }, asks, unstapled))).toBe('client: unsupported_extension');
  });

  it.each([
    ['an empty response', replaced('000000'), 'decode_error'],
    ['a response that is cut off', replaced('00000230'), 'decode_error'],
    ['bytes after the response', replaced('00000130ff'), 'decode_error'],
    [
      'a status of another type',
      changing('certificate_status', () => ({ statusType: 2, response: fromHex('000130') })),
      'illegal_parameter',
    ],
  ])('%s: refused', (_what, says, alert) => {
    expect(outcome(meet({ says }))).toBe(`client: ${alert}`);
  });

  it.each([
    ['an announcement with data', raw(5, '00')],
    ['an empty list', raw(18, '0000')],
    ['an empty timestamp', raw(18, '00020000')],
  ])('%s: decode_error', (_what, extension) => {
    expect(outcome(meet({ says: adding(extension) }, asking, unstapled))).toBe('client: decode_error');
  });

  it('a resumption brings none; what a server says of them then is ignored, as OpenSSL does', () => {
    const first = meet({});
    const { session } = theEvent(first.client, 'session');
    const quiet = meet({}, { ...asking, session });
    const { extensions } = theMessage(readTraffic(quiet.segments), 'server_hello').body;
    expect(extensions?.map(({ type }) => type)).not.toContain('status_request');
    expect(extensions?.map(({ type }) => type)).not.toContain('signed_certificate_timestamp');
    const talking = meet({ says: adding(announced, list) }, { ...asking, session });
    for (const { client } of [quiet, talking])
      expect(theEvent(client, 'handshake')).toMatchObject({ mode: 'ticket', ...both });
  });

  it('a verifier can refuse by the response, with an alert of its own', () => {
    const verifyCertificate = ({ ocspResponse: shown }: CertificateQuestion) => {
      expect(toHex(shown ?? fromHex(''))).toBe(toHex(ocspResponse));
      return { accepted: false, alert: 'bad_certificate_status_response', reason: 'revoked' } as const;
    };
    const { client } = meet({}, { ...asking, verifyCertificate });
    const { error } = theEvent(client, 'close');
    expect(error).toBeInstanceOf(AlertError);
    expect(error).toMatchObject({ alert: 'bad_certificate_status_response' });
  });
});
