// XML text, appended to a string of the caller. Used by: fhir, wire. Thread rule: one thread. Failure rule: none; names
// and raw parts are the caller's, text is UTF-8 without control characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::xml {

/// Appends character data with &, < and > escaped.
void appendText(std::string& out, std::string_view text);
/// Appends an attribute value without its quotes: also quotes, tabs and line ends are escaped, so that they survive
/// normalisation.
void appendValue(std::string& out, std::string_view value);

class Writer {
 public:
  /// `indent`: spaces per level; 0 writes everything on one line. Indenting is for element content only: text() ends it
  /// inside.
  explicit Writer(std::string& out, unsigned indent = 0) : out_(out), indent_(indent) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// The XML declaration; first of all calls.
  Writer& declaration();
  Writer& start(std::string_view name);
  /// REQUIRES: right after start() or another attribute.
  Writer& attribute(std::string_view name, std::string_view value);
  Writer& text(std::string_view characters);
  /// A whole element that is XML already, where an element may stand.
  Writer& raw(std::string_view element);
  Writer& end();

 private:
  struct Open {
    std::string name;
    bool children = false;
    bool mixed = false;
  };
  void closeTag();
  void beforeChild();
  void newLine();

  std::string& out_;
  unsigned indent_;
  std::vector<Open> open_;
  bool inTag_ = false;
};

}  // namespace lotsen::xml
