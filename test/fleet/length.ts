/** How long the rows are: the whole form, and the one for continuous integration. */
export interface Length {
  /** Rounds of all clients in a steady row, beside the first one, in which they get their sessions. */
  readonly rounds: number;
  /** Flights, each replayed at every node. */
  readonly flights: number;
  /** Tickets, each shown to every node. */
  readonly singleUseTickets: number;
  /** Milliseconds of load before and after what happens to the fleet. */
  readonly before: number;
  readonly after: number;
  readonly redisPause: number;
  /** Whether rows in which Redis forgets wait until early data is accepted again. */
  readonly waitsForWindow: boolean;
  /** Rounds of the last row, after each of which memory is looked at. */
  readonly memoryRounds: number;
}

export const whole: Length = {
  rounds: 20,
  flights: 2_500,
  singleUseTickets: 500,
  before: 10_000,
  after: 30_000,
  redisPause: 30_000,
  waitsForWindow: true,
  memoryRounds: 60,
};

export const short: Length = {
  rounds: 4,
  flights: 250,
  singleUseTickets: 50,
  before: 4_000,
  after: 8_000,
  redisPause: 5_000,
  waitsForWindow: false,
  memoryRounds: 10,
};
