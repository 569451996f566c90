/**
 * One key in a ring: its prepared states, its place in time, its counters. The ring ({@link KeyRing}) decides when it moves on.
 */
import { copy, equal, equalConstantTime, wipe } from '../bytes.js';
import type { CbcKey, CryptoBackend, HmacKey } from '../crypto/backend.js';
import { UsageError } from '../errors.js';
import type { TicketKey } from './ticket-key.js';

export type TicketKeyState = 'future' | 'active' | 'retired' | 'expired';

/** A key of the ring as a sealer uses it: set up once. */
export interface PreparedTicketKey {
  readonly name: Uint8Array;
  readonly cbc: CbcKey;
  readonly hmac: HmacKey;
}

/** What an operator sees of a key. */
export interface TicketKeyStatus {
  readonly name: Uint8Array;
  readonly state: TicketKeyState;
  /** Whether this is the one active key that seals. */
  readonly seals: boolean;
  readonly sealsFrom: number;
  readonly sealsUntil: number;
  /** Infinity while the key neither carries the time nor has stopped sealing. */
  readonly opensUntil: number;
  /** Tickets sealed, opened, and among those opened the ones to renew under a newer key. */
  readonly sealed: number;
  readonly opened: number;
  readonly renewed: number;
}

/** Works on copies of the key bytes, which `expire` wipes. States only move forward. */
export class RingKey implements PreparedTicketKey {
  readonly name: Uint8Array;
  readonly cbc: CbcKey;
  readonly hmac: HmacKey;
  readonly #aesKey: Uint8Array;
  readonly #hmacKey: Uint8Array;
  /** Whether `opensUntil` is the owner's word. */
  readonly #carriesEnd: boolean;
  readonly sealsFrom: number;
  sealsUntil: number;
  opensUntil: number;
  state: TicketKeyState = 'future';
  sealed = 0;
  opened = 0;
  renewed = 0;

  constructor(crypto: CryptoBackend, key: TicketKey) {
    this.name = copy(key.name);
    this.#aesKey = copy(key.aesKey);
    this.#hmacKey = copy(key.hmacKey);
    this.cbc = crypto.cbc(this.#aesKey);
    this.hmac = crypto.hmac('sha256', this.#hmacKey);
    this.sealsFrom = key.sealsFrom ?? -Infinity;
    this.sealsUntil = key.sealsUntil ?? Infinity;
    this.opensUntil = key.opensUntil ?? Infinity;
    this.#carriesEnd = this.opensUntil !== Infinity;
  }

  requireDistinct(key: TicketKey): void {
    if (equal(this.name, key.name)) throw new UsageError('invalid_key', 'the ring has a key of this name already');
    if (
      this.state !== 'expired' &&
      (equalConstantTime(this.#aesKey, key.aesKey) || equalConstantTime(this.#hmacKey, key.hmacKey))
    ) {
      throw new UsageError('invalid_key', 'the ring has these key bytes already, under another name');
    }
  }

  advance(now: number, openingPeriod: number): void {
    if (this.state === 'future' && now >= this.sealsFrom) this.state = 'active';
    if (this.state === 'active' && now >= this.sealsUntil) this.retire(this.sealsUntil, openingPeriod);
    // P-time-2: retired by a clock that was ahead, it would open for more than one period after the clock went back.
    if (this.state === 'retired' && !this.#carriesEnd) this.opensUntil = Math.min(this.opensUntil, now + openingPeriod);
    if (now >= this.opensUntil) this.expire();
  }

  /** When `advance` will have something to do again. */
  nextChange(): number {
    switch (this.state) {
      case 'future':
        return Math.min(this.sealsFrom, this.opensUntil);
      case 'active':
        return Math.min(this.sealsUntil, this.opensUntil);
      case 'retired':
        return this.opensUntil;
      case 'expired':
        return Infinity;
    }
  }

  retire(now: number, openingPeriod: number): void {
    this.state = 'retired';
    this.sealsUntil = Math.min(this.sealsUntil, now);
    if (!this.#carriesEnd) this.opensUntil = this.sealsUntil + openingPeriod;
  }

  expire(): void {
    if (this.state === 'expired') return;
    this.state = 'expired';
    this.cbc.destroy();
    this.hmac.destroy();
    wipe(this.#aesKey, this.#hmacKey);
  }

  status(seals: boolean): TicketKeyStatus {
    const { name, state, sealsFrom, sealsUntil, opensUntil, sealed, opened, renewed } = this;
    return { name: name.slice(), state, seals, sealsFrom, sealsUntil, opensUntil, sealed, opened, renewed };
  }
}
