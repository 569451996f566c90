/** What the options of the command come to, by the names that `commander` gives them. */
import type { KeyExchangeGroup } from '../crypto/backend.js';
import type { ClientAuthentication } from '../handshake/settings.js';
import type { SupportedCipherSuite } from '../key-schedule/suites.js';
import type { KeyFileLayoutName } from '../tickets/key-files/layouts.js';
import type { Psk, Version } from './values.js';

/** What both subcommands have. */
export interface HandshakeFlags {
  readonly minVersion?: Version;
  readonly maxVersion?: Version;
  readonly groups?: readonly KeyExchangeGroup[];
  readonly psk?: Psk;
  readonly crypto: 'node' | 'noble';
  readonly keylog?: string;
  readonly json?: true;
}

export interface ServeFlags extends HandshakeFlags {
  readonly port: number;
  readonly host: string;
  readonly cert?: readonly string[];
  readonly key?: readonly string[];
  readonly ciphers?: readonly SupportedCipherSuite[];
  readonly alpn?: readonly string[];
  readonly sessionCache: number | 'off';
  readonly tickets: number | 'off';
  readonly ticketKeys?: readonly string[];
  readonly ticketKeyLayout: KeyFileLayoutName;
  /** Seconds. */
  readonly lifetime: number;
  readonly earlyData: number;
  readonly replayGuard: 'memory' | 'off';
  readonly clientCa?: string;
  readonly clientAuth: ClientAuthentication;
  readonly echo?: true;
}

export interface ConnectFlags extends HandshakeFlags {
  readonly servername?: string;
  readonly ca?: string;
  readonly insecure?: true;
  readonly tickets: boolean;
  readonly sessionIn?: string;
  readonly sessionOut?: string;
  readonly earlyData?: string;
  readonly reconnect: number;
  readonly request?: string;
}
