// The second translation unit of wrapper.cpp: what the header defines must not be defined twice.
#include <mpegclient.hpp>

std::int32_t state_by_reference(const mpegclient::client &client);

std::int32_t state_by_reference(const mpegclient::client &client) { return client.state(); }
