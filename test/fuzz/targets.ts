/** All fuzz targets, in the order in which they run. */
import type { FuzzTarget } from './target.js';
import { answerTarget } from './targets/answers.js';
import { certificateTargets } from './targets/certificates.js';
import { keyFileTarget } from './targets/key-files.js';
import { layoutTargets } from './targets/layouts.js';
import { messageTargets } from './targets/messages.js';
import { peerTarget } from './targets/peers.js';
import { primitiveTargets } from './targets/primitives.js';
import { quicTarget } from './targets/quic.js';
import { recordTargets } from './targets/records.js';
import { stateTarget } from './targets/states.js';
import { ticketTargets } from './targets/tickets.js';
import { betweenTarget, transcriptTargets } from './targets/transcripts.js';

export const targets: readonly FuzzTarget[] = [
  ...messageTargets,
  ...ticketTargets,
  ...layoutTargets,
  stateTarget,
  keyFileTarget,
  ...recordTargets,
  ...certificateTargets,
  ...primitiveTargets,
  ...transcriptTargets,
  betweenTarget,
  peerTarget,
  answerTarget,
  quicTarget,
];
