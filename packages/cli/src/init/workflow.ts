/** The GitHub workflow that `coldboot init --ci` writes. */
import type { PackageManager } from './project.ts'

const INSTALL: Readonly<Record<PackageManager, string>> = {
  npm: 'npm ci',
  pnpm: 'pnpm install --frozen-lockfile',
  yarn: 'yarn install --immutable',
}

const LOCK_FILE: Readonly<Record<PackageManager, string>> = {
  npm: 'package-lock.json',
  pnpm: 'pnpm-lock.yaml',
  yarn: 'yarn.lock',
}

/** Workflow steps before the setup of Node. */
const SET_UP: Readonly<Record<PackageManager, string>> = {
  npm: '',
  pnpm: '      - uses: pnpm/action-setup@v4\n        with:\n          version: latest\n',
  yarn: '      - run: corepack enable\n',
}

/** Parts of the workflow that depend on the project. */
export interface WorkflowOptions {
  readonly packageManager: PackageManager
  /** Command that runs the tests. */
  readonly command: string
  /** Folder with the files of failed tests. */
  readonly results: string
}

/** Returns the workflow as YAML. */
export function workflowText({ packageManager, command, results }: WorkflowOptions): string {
  return `# .github/workflows/machines.yml: tests of machines on a plain runner, with hardware acceleration
name: machines
on: [push, pull_request]

jobs:
  test:
    runs-on: ubuntu-24.04
    env:
      COLDBOOT_CACHE: .cache/coldboot
    steps:
      - uses: actions/checkout@v6
${SET_UP[packageManager]}      - uses: actions/setup-node@v6
        with:
          node-version: 24
          cache: ${packageManager}
      - name: Let this user open /dev/kvm
        run: |
          echo 'KERNEL=="kvm", GROUP="kvm", MODE="0666", OPTIONS+="static_node=kvm"' | sudo tee /etc/udev/rules.d/99-kvm.rules
          sudo udevadm control --reload-rules
          sudo udevadm trigger --name-match=kvm
      - run: ${INSTALL[packageManager]}
      - uses: actions/cache@v5
        with:
          path: .cache/coldboot
          key: coldboot-\${{ runner.arch }}-\${{ hashFiles('${LOCK_FILE[packageManager]}') }}
          restore-keys: coldboot-\${{ runner.arch }}-
      - run: ${command}
      - uses: actions/upload-artifact@v6
        if: \${{ failure() }}
        with:
          # Unpack it, and open coldboot/index.html.
          name: machines
          path: ${results}
          include-hidden-files: true
`
}
