/** Ticket keys are rotated while clients resume: nobody fails, hardly anybody handshakes in full. */
import { describeRotation } from './rotation-tests.js';

describeRotation(3);
