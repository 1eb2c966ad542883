const { useVM } = require('@coldboot/jest')

const vm = useVM()

test('a second file has a machine too', () => {
  expect(vm()).toHavePrinted('coldboot#')
})
