/**
 * Targets on OpenSSL: nginx, Apache, HAProxy, Node.js, h2o, and programs of one's own. Their envelope and their state are the same; what
 * keeps their tickets apart is the session id context, which each makes up in its own way.
 *
 * The surprising thing: a context says nothing about who made the ticket, and anybody who holds the key can write any. It is the
 * receiver's protection against confusion, not against forgery.
 */
import { ascii, concat, empty, equal, toHex } from '../bytes.js';
import { md5, sha1 } from '../crypto/noble-foreign.js';
import { UsageError } from '../errors.js';
import { opensslState } from '../sessions/openssl-state.js';
import { opensslLayout } from '../tickets/layouts/openssl.js';
import type { AcceptanceRules, TargetOptions, TicketTarget } from './target.js';

export interface NginxTargetOptions extends TargetOptions {
  /**
   * DER of the certificates of the server block, one for each `ssl_certificate`, without their chains: in their order from 1.27.2 on, and the
   * last one first before. Up to 1.29.1 it is the *default* server's block that counts, whatever name the client asks for.
   */
  readonly serverCertificates: readonly Uint8Array[];
  /** DER of the subject of each certificate in `ssl_client_certificate`, in the order of the file; one that is there twice counts once. */
  readonly clientCaNames?: readonly Uint8Array[];
  /** Which module terminates TLS. Default `HTTP`. */
  readonly module?: 'HTTP' | 'STREAM' | 'MAIL';
}

/** nginx with `ssl_session_ticket_key`. The context is a SHA-1 over certificates and client authorities. */
export function nginxTarget({
  serverCertificates,
  clientCaNames = [],
  module = 'HTTP',
  ...options
}: NginxTargetOptions): TicketTarget {
  if (serverCertificates.length === 0) throw new UsageError('invalid_option', '`serverCertificates` is empty');
  const names = clientCaNames.filter((name, i) => clientCaNames.findIndex((other) => equal(other, name)) === i);
  const context = sha1(concat(ascii(module), ...[...serverCertificates, ...names].map(sha1)));
  return target('nginx', context, options, {
    lifetime: 300,
    hostRule: 'misdirected',
    renewal: { 'TLSv1.2': 'when_key_rotated', 'TLSv1.3': 'always' },
  });
}

export interface ApacheTargetOptions extends TargetOptions {
  /** As in `ServerName`, in lower case. */
  readonly serverName: string;
  /** As in `ServerName`; default 443, whatever port the server listens on. */
  readonly port?: number;
}

/** Apache httpd with `SSLSessionTicketKeyFile`. The context is a digest of name and port of the virtual host. */
export function apacheTarget({ serverName, port = 443, ...options }: ApacheTargetOptions): TicketTarget {
  const context = ascii(toHex(md5(ascii(`${serverName}:${String(port)}`))));
  return target('Apache httpd', context, options, {
    lifetime: 300,
    hostRule: 'by_context',
    renewal: { 'TLSv1.2': 'never', 'TLSv1.3': 'never' },
  });
}

export interface HaproxyTargetOptions extends TargetOptions {
  /** Releases from August 2026 on digest their configuration: read the context off a ticket of theirs. Default: `haproxy`. */
  readonly sessionIdContext?: Uint8Array;
}

/** HAProxy with `tls-ticket-keys`. */
export function haproxyTarget({
  sessionIdContext = ascii('haproxy'),
  ...options
}: HaproxyTargetOptions = {}): TicketTarget {
  return target('HAProxy', sessionIdContext, options, {
    lifetime: 7200,
    hostRule: 'ignored',
    renewal: { 'TLSv1.2': 'when_key_rotated', 'TLSv1.3': 'when_key_rotated' },
  });
}

export interface NodeTargetOptions extends TargetOptions {
  /** The option of `tls.createServer`, at most 32 bytes of UTF-8. Without it Node makes one up from its arguments. */
  readonly sessionIdContext: string;
}

/** `node:tls` with `ticketKeys`. */
export function nodeTarget({ sessionIdContext, ...options }: NodeTargetOptions): TicketTarget {
  return target('Node.js', new TextEncoder().encode(sessionIdContext), options, {
    lifetime: 7200,
    hostRule: 'ignored',
    renewal: { 'TLSv1.2': 'never', 'TLSv1.3': 'never' },
  });
}

export interface OpensslTargetOptions extends TargetOptions {
  /** What the program gives to `SSL_CTX_set_session_id_context`, at most 32 bytes. Default: empty. */
  readonly sessionIdContext?: Uint8Array;
}

/** A program on OpenSSL with keys of its own (`SSL_CTX_set_tlsext_ticket_keys`). */
export function opensslTarget({ sessionIdContext = empty, ...options }: OpensslTargetOptions = {}): TicketTarget {
  return target('OpenSSL', sessionIdContext, options, {
    lifetime: 7200,
    hostRule: 'ignored',
    renewal: { 'TLSv1.2': 'never', 'TLSv1.3': 'always' },
  });
}

/** h2o on OpenSSL with a ticket file. */
export function h2oTarget(options: TargetOptions = {}): TicketTarget {
  return target('h2o', empty, options, {
    lifetime: 3600,
    hostRule: 'ignored',
    renewal: { 'TLSv1.2': 'when_key_rotated', 'TLSv1.3': 'when_key_rotated' },
  });
}

function target(
  server: string,
  sessionIdContext: Uint8Array,
  options: TargetOptions,
  rules: Omit<AcceptanceRules, 'extendedMasterSecretRule'> & { readonly lifetime: number },
): TicketTarget {
  const { lifetime = rules.lifetime } = options;
  return {
    ...rules,
    server,
    layout: opensslLayout,
    encoding: opensslState({ ...options, lifetime, sessionIdContext }),
    sessionIdContext,
    lifetime,
    extendedMasterSecretRule: 'rfc7627',
  };
}
