// The Markdown of a template, read by cmark: only what a letter can show on paper, in a 1177 message and to a screen
// reader.
#include "gateway/base/text.h"
#include "gateway/letter/scribe.h"

#include <cmark-gfm.h>

#include <memory>
#include <optional>

namespace lotsen::letter {

namespace {

struct FreeNode {
  void operator()(cmark_node* node) const { cmark_node_free(node); }
};

/// What a refused construct is called and what to write instead.
std::string refusal(cmark_node_type type) {
  if (type == CMARK_NODE_HTML_BLOCK || type == CMARK_NODE_HTML_INLINE) return "raw HTML is not allowed; use Markdown";
  if (type == CMARK_NODE_IMAGE) return "images are not allowed in a letter; remove it";
  if (type == CMARK_NODE_CODE || type == CMARK_NODE_CODE_BLOCK) {
    return "code is not allowed in a letter; remove the backticks or the indentation";
  }
  if (type == CMARK_NODE_EMPH) return "italics are not allowed (hard to read); use **strong** or plain words";
  if (type == CMARK_NODE_BLOCK_QUOTE) return "quotes are not allowed; write a paragraph";
  if (type == CMARK_NODE_THEMATIC_BREAK) return "lines across the page are not allowed; use a heading";
  return "this Markdown is not allowed in a letter; use headings, paragraphs, lists, **strong** and links";
}

class Reader {
 public:
  Reader(std::uint32_t firstLine, Scribe& scribe) : firstLine_(firstLine), scribe_(scribe) {}

  std::optional<Node> block(cmark_node* node) {
    Node result;
    result.line = lineOf(node);
    const auto type = cmark_node_get_type(node);
    if (type == CMARK_NODE_HEADING) {
      result.kind = Node::Kind::Heading;
      result.level = static_cast<std::uint8_t>(cmark_node_get_heading_level(node));
      if (result.level > 3) scribe_.fault(result.line, "template-heading", "headings go to level 3 (###) only");
      result.lines.push_back(inlines(node));
    } else if (type == CMARK_NODE_PARAGRAPH) {
      result.lines.push_back(inlines(node));
      const Line& line = result.lines.front();
      if (!line.empty() && line.front().kind == Piece::Kind::Text && line.front().text.starts_with("|")) {
        scribe_.fault(result.line, "template-table", "tables are not allowed; write a list");
      }
    } else if (type == CMARK_NODE_LIST) {
      list(node, result);
    } else {
      scribe_.fault(result.line, "template-markdown", refusal(type));
      return std::nullopt;
    }
    return result;
  }

 private:
  std::uint32_t lineOf(cmark_node* node) const {
    return firstLine_ + static_cast<std::uint32_t>(cmark_node_get_start_line(node)) - 1;
  }

  void list(cmark_node* node, Node& result) {
    const bool numbers = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST;
    result.kind = numbers ? Node::Kind::Numbers : Node::Kind::Bullets;
    if (numbers && cmark_node_get_list_start(node) != 1) {
      scribe_.fault(result.line, "template-list", "a numbered list starts with 1");
    }
    for (cmark_node* item = cmark_node_first_child(node); item != nullptr; item = cmark_node_next(item)) {
      cmark_node* content = cmark_node_first_child(item);
      if (content == nullptr || cmark_node_get_type(content) != CMARK_NODE_PARAGRAPH ||
          cmark_node_next(content) != nullptr) {
        scribe_.fault(lineOf(item), "template-list", "an item is one paragraph; lists in lists are not allowed");
        continue;
      }
      result.lines.push_back(inlines(content));
    }
  }

  Line inlines(cmark_node* parent) {
    Line line;
    std::uint32_t at = lineOf(parent);
    append(parent, {}, at, line);
    return line;
  }

  /// `at` counts source lines: cmark tells them reliably for blocks only.
  void append(cmark_node* parent, const Style& style, std::uint32_t& at, Line& out) {
    for (cmark_node* node = cmark_node_first_child(parent); node != nullptr; node = cmark_node_next(node)) {
      const auto type = cmark_node_get_type(node);
      if (type == CMARK_NODE_TEXT) {
        scribe_.split(cmark_node_get_literal(node), at, style, out);
      } else if (type == CMARK_NODE_SOFTBREAK) {
        scribe_.split(" ", at, style, out);
        ++at;
      } else if (type == CMARK_NODE_LINEBREAK) {
        Piece piece;
        piece.kind = Piece::Kind::LineBreak;
        piece.line = at++;
        out.push_back(std::move(piece));
      } else if (type == CMARK_NODE_STRONG) {
        Style strong = style;
        strong.strong = true;
        append(node, strong, at, out);
      } else if (type == CMARK_NODE_LINK) {
        append(node, linked(node, style, at), at, out);
      } else {
        scribe_.fault(at, "template-markdown", refusal(type));
      }
    }
  }

  Style linked(cmark_node* node, const Style& style, std::uint32_t at) {
    Style result = style;
    const std::string_view url = cmark_node_get_url(node);
    result.linkVariable = scribe_.wholeVariable(url, at);
    if (result.linkVariable != kNoVariable) {
      const Variable& variable = scribe_.variables()[result.linkVariable];
      if (variable.type != Type::Url || variable.optional) {
        scribe_.fault(at, "template-link",
                      "a link needs a variable of type url that is not optional: '" + variable.name + "'");
      }
    } else if (isSafeUrl(url)) {
      result.link = url;
    } else {
      scribe_.fault(at, "template-link",
                    "a link goes to an https address, or to a variable of type url: [text]({{name}})");
    }
    return result;
  }

  std::uint32_t firstLine_;
  Scribe& scribe_;
};

}  // namespace

void readMarkdown(std::string_view text, std::uint32_t firstLine, const std::vector<Guard>& guards, Scribe& scribe,
                  std::vector<Node>& out) {
  const std::unique_ptr<cmark_node, FreeNode> document(
      cmark_parse_document(text.data(), text.size(), CMARK_OPT_DEFAULT));
  cmark_consolidate_text_nodes(document.get());
  Reader reader(firstLine, scribe);
  for (cmark_node* node = cmark_node_first_child(document.get()); node != nullptr; node = cmark_node_next(node)) {
    const bool first = cmark_node_previous(node) == nullptr;
    auto block = reader.block(node);
    if (!block) continue;
    const bool isList = block->kind == Node::Kind::Bullets || block->kind == Node::Kind::Numbers;
    block->continues = first && isList && !out.empty() && out.back().kind == block->kind;
    block->guards = guards;
    out.push_back(std::move(*block));
  }
}

}  // namespace lotsen::letter
