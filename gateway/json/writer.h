// JSON text, appended to a string of the caller. Used by: fhir, service, console, app. Thread rule: one thread.
// Failure rule: none; the caller keeps the order of calls (a key before each member), strings are UTF-8.
// Own code on purpose: RapidJSON's Writer prints text numbers in quotes and takes strings byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lotsen::json {

/// Appends `text` in quotes with what JSON demands escaped, nothing more.
void appendQuoted(std::string& out, std::string_view text);

class Writer {
 public:
  /// `indent`: spaces per level; 0 writes compact text on one line.
  explicit Writer(std::string& out, unsigned indent = 0) : out_(out), indent_(indent) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Writer& startObject() { return open('{'); }
  Writer& endObject() { return close('}'); }
  Writer& startArray() { return open('['); }
  Writer& endArray() { return close(']'); }
  Writer& key(std::string_view name);
  /// key(prefix + name), for the "_name" twins of FHIR primitives.
  Writer& key(char prefix, std::string_view name);
  Writer& string(std::string_view text);
  /// Digits exactly as given: a valid JSON number.
  Writer& number(std::string_view digits);
  Writer& integer(std::int64_t value);
  Writer& boolean(bool value);
  Writer& null();
  /// A whole value that is JSON already.
  Writer& raw(std::string_view value) { return number(value); }

  Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
  Writer& member(std::string_view name, const char* text) { return key(name).string(text); }
  Writer& member(std::string_view name, std::int64_t value) { return key(name).integer(value); }
  Writer& member(std::string_view name, bool value) { return key(name).boolean(value); }

 private:
  void beforeValue();
  void newLine();
  Writer& open(char bracket);
  Writer& close(char bracket);

  std::string& out_;
  unsigned indent_;
  unsigned depth_ = 0;
  bool first_ = true;      // nothing written yet at this level
  bool afterKey_ = false;  // a value must follow on the same line
};

}  // namespace lotsen::json
