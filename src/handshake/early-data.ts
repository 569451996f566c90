/**
 * Early data on one connection (RFC 8446 4.2.10), as the connection above sees it while the handshake goes on: whether it may be
 * sent or read now, how much, and what became of it.
 */
import type { EarlyDataRefusal } from './resumption.js';

export class EarlyData {
  outcome: 'none' | 'offered' | 'accepted' | 'rejected' = 'none';
  reason: EarlyDataRefusal | undefined = 'not_offered';
  /** Whether it may be sent (client) or comes (server) at this moment. */
  open = false;
  /** Bytes of application data that may still be sent or read. */
  remaining = 0;
  /** Bytes that were sent or read. */
  bytes = 0;

  count(length: number): void {
    this.remaining -= length;
    this.bytes += length;
  }

  /** Client: the ClientHello offers it, and its keys are in use. */
  offer(maxSize: number): void {
    this.outcome = 'offered';
    this.open = true;
    this.remaining = maxSize;
  }

  /** Client: the server reads it; more may be sent until EndOfEarlyData. */
  accepted(): void {
    this.outcome = 'accepted';
    this.reason = undefined;
  }

  /** Server: it is read from now on. */
  read(maxSize: number): void {
    this.outcome = 'accepted';
    this.reason = undefined;
    this.open = true;
    this.remaining = maxSize;
  }

  reject(reason: EarlyDataRefusal): void {
    this.outcome = 'rejected';
    this.reason = reason;
    this.end();
  }

  /** EndOfEarlyData, or what stands for it. */
  end(): void {
    this.open = false;
    this.remaining = 0;
  }

  /** For the handshake's result. */
  get result(): 'none' | 'accepted' | 'rejected' {
    return this.outcome === 'offered' ? 'rejected' : this.outcome;
  }
}
