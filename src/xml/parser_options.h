// What libxml2's parser may do, the same for trees and streams. Private to xml/.
#pragma once

#include <libxml/parser.h>

#include <string>

namespace district::xml {

// Never DTDLOAD or HUGE: nothing external, and libxml2's own bounds stay on. Without BIG_LINES line
// numbers stop at 65,535. Without NODICT every run of white space between tags goes into a
// dictionary that gets slow when there are many different ones.
inline constexpr int kParserOptions = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                      XML_PARSE_BIG_LINES | XML_PARSE_COMPACT |
                                      XML_PARSE_IGNORE_ENC | XML_PARSE_NODICT;

// Why the parser gave up. `lines_skipped`: in front of what it was given.
std::string parser_message(const xmlParserCtxt& parser, long lines_skipped);

}  // namespace district::xml
