import { describe, expect, it } from 'vitest';
import { certificateRequest, certificateRequestTls12 } from '../../src/messages/certificate-request.js';
import { certificateVerify } from '../../src/messages/certificate-verify.js';
import { certificate, certificateTls12 } from '../../src/messages/certificate.js';
import { hex, refusal } from '../support/decoding.js';

describe('Certificate', () => {
  it('of TLS 1.3 has a context, and extensions for each certificate (RFC 8446 4.4.2)', () => {
    const text = '01 07 00001a 000002 aabb 0009 0005 0005 01 000001 cc  000001 dd 0004 0a0a 0000';
    const value = certificate.decode(hex(text));
    expect(value).toEqual({
      certificateRequestContext: hex('07'),
      certificateList: [
        {
          certData: hex('aabb'),
          extensions: [{ type: 'status_request', data: { statusType: 'ocsp', response: hex('cc') } }],
        },
        { certData: hex('dd'), extensions: [{ type: 0x0a0a, data: hex('') }] },
      ],
    });
    expect(certificate.encode(value)).toEqual(hex(text));
  });

  it('may be empty in both versions, as a client without one sends it', () => {
    expect(certificate.decode(hex('00 000000'))).toEqual({ certificateRequestContext: hex(''), certificateList: [] });
    expect(certificateTls12.decode(hex('000000'))).toEqual({ certificateList: [] });
  });

  it('of TLS 1.2 is a list of certificates (RFC 5246 7.4.2)', () => {
    expect(certificateTls12.decode(hex('000009 000002 aabb 000001 cc'))).toEqual({
      certificateList: [hex('aabb'), hex('cc')],
    });
  });

  it.each([
    [
      'an empty certificate',
      certificate,
      '00 000005 000000 0000',
      'length_out_of_range certificateList[0].certData @4',
    ],
    ['no extensions', certificate, '00 000004 000001 aa', 'truncated certificateList[0].extensions @8'],
    [
      'an extension twice',
      certificate,
      '00 00000e 000001 aa 0008 0a0a 0000 0a0a 0000',
      'duplicate_extension certificateList[0].extensions[1].2570 @14',
    ],
    ['an empty certificate of TLS 1.2', certificateTls12, '000003 000000', 'length_out_of_range certificateList[0] @3'],
    ['a list that goes beyond the message', certificateTls12, '000005 000001 aa', 'truncated certificateList @3'],
  ])('is refused with %s', (_, codec, text, expected) => {
    expect(refusal(codec, text)).toBe(expected);
  });
});

describe('CertificateRequest', () => {
  it('of TLS 1.3 asks by extensions (RFC 8446 4.3.2)', () => {
    expect(certificateRequest.decode(hex('00 0008 000d 0004 0002 0403'))).toEqual({
      certificateRequestContext: hex(''),
      extensions: [{ type: 'signature_algorithms', data: ['ecdsa_secp256r1_sha256'] }],
    });
    // RFC 9846 4.4.2: that signature_algorithms is missing, the handshake says.
    expect(certificateRequest.decode(hex('00 0000')).extensions).toEqual([]);
    expect(refusal(certificateRequest, '00 0001 00')).toBe('truncated extensions[0] @3');
  });

  it('of TLS 1.2 asks by fields (RFC 5246 7.4.4)', () => {
    expect(certificateRequestTls12.decode(hex('02 01 40 0002 0401 0003 0001 30'))).toEqual({
      certificateTypes: ['rsa_sign', 'ecdsa_sign'],
      supportedSignatureAlgorithms: ['rsa_pkcs1_sha256'],
      certificateAuthorities: [hex('30')],
    });
    expect(certificateRequestTls12.decode(hex('01 40 0002 0403 0000')).certificateAuthorities).toEqual([]);
    expect(refusal(certificateRequestTls12, '00 0002 0403 0000')).toBe('length_out_of_range certificateTypes @0');
    expect(refusal(certificateRequestTls12, '01 40 0000 0000')).toBe(
      'length_out_of_range supportedSignatureAlgorithms @2',
    );
  });
});

it('CertificateVerify is a scheme and a signature (RFC 8446 4.4.3)', () => {
  expect(certificateVerify.decode(hex('0804 0002 aabb'))).toEqual({
    algorithm: 'rsa_pss_rsae_sha256',
    signature: hex('aabb'),
  });
  expect(refusal(certificateVerify, '0804 0003 aabb')).toBe('truncated signature @4');
});
