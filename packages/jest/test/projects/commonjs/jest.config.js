module.exports = { preset: '@coldboot/jest' }
