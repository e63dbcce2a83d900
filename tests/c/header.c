// The header says all it needs itself, as the first and only one included.
#include <mpegclient.h>

int main(void) { return mpegclient_abi_version() >= MPEGCLIENT_ABI_VERSION ? 0 : 1; }
