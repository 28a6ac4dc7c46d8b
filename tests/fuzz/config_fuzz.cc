// libFuzzer: any text is configuration or is refused with faults that name a line of it; every way to read a value
// ends.
#include "gateway/app/sections.h"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

namespace {

using namespace lotsen::app;

// Reads every second key in every way; the others are then told as unknown.
void readSome(Section& section, Faults& faults) {
  using lotsen::milliseconds;
  std::set<std::string> keys;
  for (const Entry& entry : section.entries) {
    if (entry.key.empty() || entry.line <= section.line) std::abort();
    keys.insert(entry.key);
  }
  bool wanted = true;
  for (const std::string& key : keys) {
    if (wanted) {
      static_cast<void>(section.required(key, faults));
      static_cast<void>(section.flag(key, false, faults));
      const std::int64_t number = section.number(key, 5, 0, 9, faults);
      if (number < 0 || number > 9) std::abort();
      if (section.duration(key, milliseconds(1), faults) < milliseconds(0)) std::abort();
      if (section.all(key).empty()) std::abort();
    }
    wanted = !wanted;
  }
  section.refuseUnread(faults);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4u << 10) return 0;
  Faults faults;
  auto sections = parseSections("fuzz.conf", {reinterpret_cast<const char*>(data), size}, faults);
  for (Section& section : sections) readSome(section, faults);
  for (const Fault& fault : faults.list) {
    if (fault.file != "fuzz.conf" || fault.line < 1 || fault.text.empty()) std::abort();
  }
  return 0;
}
