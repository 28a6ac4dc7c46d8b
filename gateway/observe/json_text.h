// A JSON string for log lines and health answers. Internal to this folder, which stands below json.
#pragma once

#include <string>
#include <string_view>

namespace lotsen::observe {

/// Appends `text` with quotes. Bytes that are not UTF-8 become U+FFFD, so that the line is JSON whatever came in.
void appendJsonString(std::string& out, std::string_view text);

}  // namespace lotsen::observe
