#include "gateway/letter/fill.h"

#include "gateway/letter/values.h"

namespace lotsen::letter {

namespace {

/// What must not be parted at the end of a line.
bool isUnbroken(Type type, Form form) {
  return type == Type::Phone || type == Type::Id || type == Type::Number || form == Form::Time ||
         (type == Type::Date && form != Form::Weekday);
}

class Filler {
 public:
  Filler(const Template& letter, const fhir::Document& source, Instant now, fhir::Issues& issues)
      : source_(letter.source()), values_(letter, source, now, issues) {}

  Result<Document> run() {
    Document document;
    document.file = source_.file;
    document.language = source_.language;
    document.title = source_.title;
    document.recipient = source_.recipient;
    document.sender = rows(source_.sender);
    document.address = rows(source_.address);
    document.reference = rows(source_.reference);
    document.footer = rows(source_.footer);
    for (const Inline& part : inlines(source_.notify)) document.notification += part.text;
    blocks(document.blocks);
    if (!values_.clean()) {
      return fail(Code::Invalid, "the letter from " + source_.file +
                                     " cannot be made: a value is missing or wrong; the issues say which");
    }
    return document;
  }

 private:
  const Type* typeOf(const Piece& piece) const {
    return piece.kind == Piece::Kind::Value ? &source_.variables[piece.variable].type : nullptr;
  }

  bool isList(const Line& line) const {
    return line.size() == 1 && typeOf(line[0]) != nullptr && *typeOf(line[0]) == Type::List;
  }

  Inline style(const Piece& piece) {
    Inline part;
    part.strong = piece.strong;
    part.link = piece.link;
    part.line = piece.line;
    if (piece.linkVariable != kNoVariable) {
      part.link = values_.told(piece.linkVariable, Form::Plain, {}, {}).value_or("");
      part.variable = source_.variables[piece.linkVariable].name;
    }
    return part;
  }

  Inlines inlines(const Line& line) {
    Inlines result;
    for (const Piece& piece : line) {
      Inline part = style(piece);
      if (piece.kind == Piece::Kind::LineBreak) {
        part.lineBreak = true;
      } else if (const Type* type = typeOf(piece)) {
        auto text = values_.told(piece.variable, piece.form, piece.one, piece.other);
        if (!text) continue;  // a fault is noted; the letter is not made
        part.text = std::move(*text);
        part.variable = source_.variables[piece.variable].name;
        part.unbroken = isUnbroken(*type, piece.form);
      } else {
        part.text = piece.text;
      }
      result.push_back(std::move(part));
    }
    return result;
  }

  /// One line of text per value of a list.
  std::vector<Inlines> listLines(const Piece& piece) {
    std::vector<Inlines> result;
    for (const std::string& text : values_.get(piece.variable).texts) {
      Inline part = style(piece);
      part.text = text;
      part.variable = source_.variables[piece.variable].name;
      result.push_back({std::move(part)});
    }
    return result;
  }

  /// Lines of the letter's head: a list is as many lines as it has values, an absent optional is no line.
  std::vector<Inlines> rows(const std::vector<Line>& lines) {
    std::vector<Inlines> result;
    for (const Line& line : lines) {
      if (isList(line)) {
        for (Inlines& row : listLines(line[0])) result.push_back(std::move(row));
      } else if (Inlines row = inlines(line); !row.empty()) {
        result.push_back(std::move(row));
      }
    }
    return result;
  }

  bool isShown(const Node& node) {
    for (const Guard& guard : node.guards) {
      if (values_.holds(guard.variable) != guard.wanted) return false;
    }
    return true;
  }

  void blocks(std::vector<Block>& out) {
    bool joinable = false;  // the last block is the beginning of the list that the next node continues
    for (const Node& node : source_.body) {
      if (!node.continues) joinable = false;
      if (!isShown(node)) continue;
      if (!joinable) out.push_back({node.kind, node.level, {}});
      std::vector<Inlines>& lines = out.back().lines;
      if (node.kind == Node::Kind::Heading || node.kind == Node::Kind::Paragraph) {
        lines.push_back(isList(node.lines[0]) ? joined(listLines(node.lines[0][0])) : inlines(node.lines[0]));
      } else {
        for (Inlines& item : rows(node.lines)) lines.push_back(std::move(item));
        joinable = true;
      }
    }
  }

  static Inlines joined(std::vector<Inlines> lines) {
    Inlines result;
    for (Inlines& line : lines) {
      if (!result.empty()) {
        Inline lineBreak;
        lineBreak.lineBreak = true;
        result.push_back(std::move(lineBreak));
      }
      for (Inline& part : line) result.push_back(std::move(part));
    }
    return result;
  }

  const Source& source_;
  Values values_;
};

}  // namespace

Result<Document> fill(const Template& letter, const fhir::Document& source, Instant now, fhir::Issues& issues) {
  return Filler(letter, source, now, issues).run();
}

}  // namespace lotsen::letter
