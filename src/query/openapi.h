// The description of the API. Private to query/. Source: OpenAPI Specification 3.1.0.
#pragma once

#include <string>

namespace district::query {

// JSON. `public_url`: where clients reach the server, without a path.
std::string openapi_document(const std::string& public_url);

}  // namespace district::query
