/* A UEFI application that prints the size and the CRC-32 of a file on its own volume. */
#include <efi.h>
#include <efilib.h>

#define MAX_BYTES (1 << 20)

static EFI_STATUS read_file(EFI_HANDLE image, CHAR16 *name, UINT8 *data, UINTN *size)
{
	EFI_LOADED_IMAGE *loaded;
	EFI_FILE_HANDLE volume, file;
	EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (void **)&loaded);

	if (EFI_ERROR(status))
		return status;
	volume = LibOpenRoot(loaded->DeviceHandle);
	if (volume == NULL)
		return EFI_NO_MEDIA;
	status = volume->Open(volume, &file, name, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status))
		return status;
	return file->Read(file, size, data);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	CHAR16 **words, *name = L"payload.bin";
	UINTN size = MAX_BYTES;
	UINT32 sum;
	UINT8 *data;
	EFI_STATUS status;

	InitializeLib(image, table);
	/* The boot manager passes no name, the shell does. */
	if (GetShellArgcArgv(image, &words) > 1)
		name = words[1];
	data = AllocatePool(MAX_BYTES);
	status = read_file(image, name, data, &size);
	if (!EFI_ERROR(status))
		status = BS->CalculateCrc32(data, size, &sum);
	if (EFI_ERROR(status))
		Print(L"%s: %r\n", name, status);
	else
		Print(L"%s: %d bytes, CRC-32 %08x\n", name, size, sum);
	return status;
}
