import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Rules of this project, each with the reason it prints. Flat config replaces a rule's options where a later block sets
// it again, so every block below states its whole list.
const bareYield = {
  selector: 'YieldExpression[delegate=false]',
  message: 'Only receive and ask in handshake/needs.ts yield; a flow delegates with yield*.',
};
const forgottenYield = {
  selector:
    ':not(YieldExpression[delegate=true]) > CallExpression[callee.name=/^(receive|receivePsk|receiveTls13|ask)$/]',
  message: 'A call of receive or ask does nothing without yield*.',
};
const typeAssertion = {
  selector: 'TSAsExpression:not([typeAnnotation.typeName.name="const"])',
  message:
    'Parse into the narrower type, or use satisfies. Assertions stand in presentation/codec.ts and handshake/needs.ts.',
};
const clock = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: 'Time is a parameter: now: () => number in milliseconds.',
};

const noAmbientState = {
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Time is a parameter: now: () => number in milliseconds.' },
    { object: 'performance', property: 'now', message: 'Time is a parameter: now: () => number in milliseconds.' },
    { object: 'Math', property: 'random', message: 'Randomness is crypto.randomBytes of the backend.' },
  ],
  'no-restricted-globals': [
    'error',
    { name: 'process', message: 'The core runs on any JavaScript runtime.' },
    { name: 'Buffer', message: 'The core runs on any JavaScript runtime: use Uint8Array and src/bytes.ts.' },
    { name: 'crypto', message: 'Randomness is crypto.randomBytes of the backend.' },
    { name: 'console', message: 'No logging in the core: events.' },
    { name: 'setTimeout', message: 'No timers in the core: time comes from outside.' },
    { name: 'setInterval', message: 'No timers in the core: time comes from outside.' },
  ],
  'no-restricted-imports': [
    'error',
    { patterns: [{ group: ['node:*'], message: 'node: stays in adapters and the node backend.' }] },
  ],
};

export default defineConfig(
  globalIgnores(['dist/', 'coverage/']),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.js'] }, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: {
      eqeqeq: 'error',
      'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
      // `for (let i = 0; ...)` over bytes is the hot path's plain form.
      '@typescript-eslint/prefer-for-of': 'off',
      // A state machine's callbacks are often () => someCall(): the arrow's value is not looked at.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      // Lengths, offsets and code points in messages are numbers; String(n) around each says nothing.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // process.env['CI'] shows that the index may be missing.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // An async function without await still turns a throw into a rejection, which interfaces that answer promises want.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // `interface ClientHello extends Infer<typeof clientHello> {}` gives a table's type a name of its own.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
    },
  },
  { files: ['*.js'], extends: [tseslint.configs.disableTypeChecked] },
  {
    files: ['src/**'],
    rules: { 'no-restricted-syntax': ['error', typeAssertion] },
  },
  {
    // Below the adapters: no clock, no randomness, no runtime of its own.
    files: ['src/**'],
    ignores: ['src/adapters/**', 'src/cli/**'],
    rules: { ...noAmbientState, 'no-restricted-syntax': ['error', typeAssertion, clock] },
  },
  {
    files: ['src/handshake/**'],
    rules: { 'no-restricted-syntax': ['error', typeAssertion, clock, bareYield, forgottenYield] },
  },
  {
    // The two doors: `receive` and `ask` yield, and only here does an answer get the type that its question asked for.
    files: ['src/handshake/needs.ts'],
    rules: { 'no-restricted-syntax': ['error', clock, forgottenYield] },
  },
  {
    // A tag's type is computed from the table, and TypeScript cannot follow the loops that run over its fields.
    files: ['src/presentation/codec.ts'],
    rules: { 'no-restricted-syntax': ['error', clock], '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    // Object.keys of a constant table answers string[]; it is turned back into the table's own keys, once.
    files: ['src/alert.ts'],
    rules: { 'no-restricted-syntax': ['error', clock] },
  },
  {
    // The node backend is the one place below the adapters that may see node: modules.
    files: ['src/crypto/node.ts', 'src/crypto/node-*.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // Tests and benchmarks reach into vectors (JSON) and known-length arrays; a wrong assertion there fails a test.
    files: ['test/**', 'bench/**', 'scripts/**', '*.config.ts'],
    // A method that loses its `this` there fails as loudly.
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/unbound-method': 'off' },
  },
);
