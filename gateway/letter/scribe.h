// Private to this folder: what the front matter and the Markdown reader share while a template is read. It knows the
// declared variables, cuts text into pieces at {{…}}, and collects faults with file and line. Thread rule: one thread,
// for the time of one parse. Failure rule: faults go to the issues and reading goes on.
#pragma once

#include "gateway/letter/source.h"

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::letter {

/// What surrounds a piece of text.
struct Style {
  bool strong = false;
  std::string link;
  VariableIndex linkVariable = kNoVariable;
};

class Scribe {
 public:
  Scribe(std::string_view file, fhir::Issues& issues) : file_(file), issues_(issues) {}

  void fault(std::uint32_t line, std::string_view rule, std::string text);
  bool clean() const { return faults_ == 0; }

  void declare(Variable variable);
  const std::vector<Variable>& variables() const { return variables_; }
  std::vector<Variable> takeVariables() { return std::move(variables_); }
  /// The variable of that name, marked as used; a fault with a suggestion if there is none.
  VariableIndex use(std::string_view name, std::uint32_t line);
  void faultUnused();

  /// Appends the pieces of `text`, all of which stand on `line`.
  void split(std::string_view text, std::uint32_t line, const Style& style, Line& out);
  /// The variable of a text that is nothing but {{name}}; kNoVariable otherwise.
  VariableIndex wholeVariable(std::string_view text, std::uint32_t line);

  /// {{#name}}, {{^name}} or {{/name}} alone on a line: the sign and the name; an empty name if it is no such line.
  static std::pair<char, std::string_view> condition(std::string_view text);

 private:
  void value(std::string_view inside, std::uint32_t line, const Style& style, Line& out);
  void form(std::string_view argument, std::uint32_t line, Piece& piece);

  std::string file_;
  fhir::Issues& issues_;
  std::vector<Variable> variables_;
  std::vector<bool> used_;
  std::size_t faults_ = 0;
};

/// True for a target that a letter may link to: https, a host, and no blank, quote or control character.
bool isSafeUrl(std::string_view url);

/// Reads one stretch of Markdown between condition lines and appends its blocks. `firstLine` is its line in the file.
void readMarkdown(std::string_view text, std::uint32_t firstLine, const std::vector<Guard>& guards, Scribe& scribe,
                  std::vector<Node>& out);

}  // namespace lotsen::letter
