// The text of one template file, taken apart: the front matter, the variables that it declares, and the Markdown body
// as a skeleton of blocks whose lines hold literal text and places for values. Markdown is parsed here, before any
// value is known; values are put into the finished pieces later (fill.h), so a value can never become markup, a
// condition or a variable. Used by: template.h, fill.h. Thread rule: pure. Failure rule: every fault goes to `issues`
// with file and line, all of them at once; the result is then Invalid.
//
// The file, in UTF-8:
//
//     ---
//     id: patient-lotsning                 one entry a line; an indented line continues the entry above it
//     lang: sv-SE
//     title: Din remiss flyttas            plain text: the title of the PDF and the subject of a message
//     recipient: patient                   patient | clinician
//     notify: Du har ett brev …            the line outside the login; only variables marked `public`
//     reply: Jag vill stå kvar | …         answers that a 1177 message offers; without the key it cannot be answered
//     sender: …                            lines: sender, address (the window), reference (date, number), footer
//     address: {{patient.name}}
//              {{patient.street}}
//     var NAME: TYPE [public] [optional] = FHIRPATH
//     ---
//     # Din remiss flyttas
//     {{#flag}}                            the blocks until {{/flag}} only when the flag is true, or the optional has a
//     value
//     {{^flag}}                            … only when it is not
//     {{name}}  {{date: veckodag}}  {{weeks: vecka, veckor}}
//
// Blocks: headings (# to ###, one #, first), paragraphs, one level of lists, **strong**, [text](https://…), hard line
// breaks. Rejected: filling first and parsing afterwards (values become layout), a general template engine (all of them
// print a blank for a missing value, or need switches not to), expressions in the body (they are FHIRPath in the front
// matter, checked there).
#pragma once

#include "gateway/base/result.h"
#include "gateway/fhir/issues.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::letter {

enum class Type : std::uint8_t { Text, Name, Date, DateTime, Number, Phone, Id, Url, Bool, List };
enum class Recipient : std::uint8_t { Patient, Clinician };

struct Variable {
  std::string name;
  Type type = Type::Text;
  bool isPublic = false;  // may stand in the notification and in logs
  bool optional = false;  // may be absent; is then used only inside its own condition or as a whole line
  std::string expression;
  fhir::Position at;            // of the declaration
  fhir::Position expressionAt;  // of the FHIRPath
};

using VariableIndex = std::uint32_t;
constexpr VariableIndex kNoVariable = 0xffffffffU;

/// How a value is told: {{when: veckodag}}, {{weeks: vecka, veckor}}. Plain: the form of its type.
enum class Form : std::uint8_t { Plain, Date, Weekday, Time, Plural };

/// Literal text, a place for a value, or a hard line break.
struct Piece {
  enum class Kind : std::uint8_t { Text, Value, LineBreak };
  Kind kind = Kind::Text;
  Form form = Form::Plain;
  bool strong = false;
  std::string text;                      // Text only
  VariableIndex variable = kNoVariable;  // Value only
  std::string one, other;                // Form::Plural: "vecka", "veckor"
  std::string link;                      // https target; empty: none
  VariableIndex linkVariable = kNoVariable;
  std::uint32_t line = 0;
};
using Line = std::vector<Piece>;

/// {{#flag}} (wanted) or {{^flag}} around a block.
struct Guard {
  VariableIndex variable = kNoVariable;
  bool wanted = true;
};

struct Node {
  enum class Kind : std::uint8_t { Heading, Paragraph, Bullets, Numbers };
  Kind kind = Kind::Paragraph;
  std::uint8_t level = 0;  // Heading: 1 to 3
  bool continues =
      false;  // a list that only condition lines part from the list before it: one list when both are shown
  std::vector<Guard> guards;  // all must hold
  std::vector<Line> lines;    // one for a heading or paragraph, one per item of a list
  std::uint32_t line = 0;
};

struct Source {
  std::string file;
  std::string id;
  std::string language;  // BCP 47, "sv-SE"
  std::string title;
  Recipient recipient = Recipient::Patient;
  Line notify;
  std::vector<std::string> replies;
  std::vector<Line> sender, address, reference, footer;
  std::vector<Variable> variables;
  std::vector<Node> body;
};

/// `file` is the name that messages show.
Result<Source> parseSource(std::string_view text, std::string_view file, fhir::Issues& issues);

std::string_view typeName(Type type);  // "datetime"

}  // namespace lotsen::letter
