const { useVM } = require('@coldboot/jest')

const vm = useVM()

test('fails with the tests of its guest', async () => {
  vm().send('echo s3""cret\n')
  await vm().expect(/s3\w+t/)
  await vm().runTests("printf '1..2\\nok 1 - adds\\nnot ok 2 - divides\\n'", { format: 'tap' })
})
