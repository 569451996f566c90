/** What ends a connection below the handshake, or after it. */
import { fromHex } from '../../../src/bytes.js';
import { contentTypes } from '../../../src/parameters.js';
import { maxConsecutiveEmptyRecords } from '../../../src/record/record-layer.js';
import { flows, itemsFrom, Replay } from '../../support/replay.js';
import { afterwards, alertPayload, asCase, atFirst, dataPayload, recordingOf, type AlertCase } from './builders.js';

export const connectionCases: readonly AlertCase[] = [
  atFirst('HTTP', '474554202f20485454502f312e310d0a', 'unexpected_message'),
  atFirst('SSL 2', '802e0103010015', 'unexpected_message'),
  atFirst('a record of version 2.x', '1602000001' + '01', 'protocol_version'),
  atFirst('a record longer than any ciphertext', '1603034801', 'record_overflow'),
  atFirst('a record longer than any plaintext', '1603034001' + '00'.repeat(0x4001), 'record_overflow'),
  atFirst('an empty handshake record', '1603030000', 'unexpected_message'),
  atFirst('an empty ChangeCipherSpec record', '1403030000', 'unexpected_message'),
  atFirst('an empty alert record', '1503030000', 'unexpected_message'),
  atFirst('an empty record of application data in the clear', '1703030000', 'unexpected_message'),
  atFirst('a message longer than the limit', '1603030004' + '01020000', 'illegal_parameter'),
  atFirst('a message longer than a limit of ours', '1603030004' + '01000400', 'illegal_parameter', {
    limits: { maxHandshakeMessageLength: 1027 },
  }),
  atFirst('R5246-7.1-1 a ChangeCipherSpec of another value', '1403030001' + '02', 'illegal_parameter'),
  atFirst('ChangeCipherSpec inside a message', '1603030001' + '01' + '1403030001' + '01', 'unexpected_message'),
  atFirst('application data', '1703030001' + '41', 'unexpected_message'),
  atFirst('half an alert', '1503030001' + '02', 'decode_error'),
  atFirst('two alerts in one record', '1503030004' + '02280228', 'decode_error'),
  atFirst('an alert of level 3', '1503030002' + '0328', 'illegal_parameter'),
  atFirst('more warnings than allowed', '1503030002015a'.repeat(9), 'unexpected_message'),
  atFirst('more warnings than we allow', '1503030002015a'.repeat(2), 'unexpected_message', {
    limits: { maxWarnings: 1 },
  }),
  asCase('R5246-7.4.1.1-1 HelloRequests without end', 'client', 'unexpected_message', () =>
    new Replay(flows.full, 'client').sendBytes(fromHex('16030300' + '28' + '00000000'.repeat(10))),
  ),
  asCase('renegotiations without end', 'server', 'unexpected_message', () => {
    const hello = recordingOf(flows.full).items[0]!;
    return new Replay(flows.full, 'server').send(
      ...itemsFrom(recordingOf(flows.full), 'client'),
      ...Array.from({ length: 9 }, () => hello),
    );
  }),
  afterwards('a record that does not verify', '1703030019' + '00'.repeat(25), 'bad_record_mac'),
  afterwards('a record shorter than its tag', '1703030017' + '00'.repeat(23), 'bad_record_mac'),
  afterwards('an empty record in the clear, in an open connection', '1703030000', 'bad_record_mac'),
  afterwards(
    'ChangeCipherSpec in an open connection',
    [{ contentType: contentTypes.change_cipher_spec, bytes: fromHex('01') }],
    'unexpected_message',
  ),
  afterwards(
    'a Finished in an open connection',
    [{ contentType: contentTypes.handshake, bytes: fromHex('1400000c' + '00'.repeat(12)) }],
    'unexpected_message',
  ),
  afterwards('too much plaintext in a protected record', [dataPayload('00'.repeat(0x4001))], 'record_overflow'),
  afterwards(
    'empty records without end',
    Array.from({ length: maxConsecutiveEmptyRecords + 1 }, () => dataPayload('')),
    'unexpected_message',
  ),
  afterwards(
    'an empty protected handshake record',
    [{ contentType: contentTypes.handshake, bytes: new Uint8Array(0) }],
    'unexpected_message',
  ),
  afterwards('an alert of three bytes', [alertPayload('010000')], 'decode_error'),
];
