export default { preset: '@coldboot/jest', transform: {} }
