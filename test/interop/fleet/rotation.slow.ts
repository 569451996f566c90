/** As the short run, for a minute. */
import { describeRotation } from './rotation-tests.js';

describeRotation(60);
