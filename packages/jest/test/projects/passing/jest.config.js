export default {
  preset: '@coldboot/jest',
  transform: {},
  testEnvironmentOptions: {
    coldboot: { vm: { memory: '128M' }, artifacts: { retain: 'on-failure' } },
  },
}
