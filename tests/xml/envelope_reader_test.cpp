// Envelopes as streams: the same events wherever the blocks are cut, and nothing read too early.
#include "xml/envelope_reader.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "../support/random_xml.h"
#include "../support/xml_streams.h"
#include "base/limits.h"

namespace {

using namespace district;

// Fills the first block, so that all that follows may be cut anywhere.
const std::string kFirstBlock =
    "<!--" + std::string(xml::Utf8Decoder::kDeclarationOctetsMax - 7, '.') + "-->";

std::string envelope(const std::string& body, const std::string& behind = "") {
  return "<s:Envelope xmlns:s='urn:s'><s:Header a='1'> <h>x</h><!-- c --></s:Header>" + body +
         behind + "</s:Envelope>";
}

// Head and events, or the error's code.
std::string outcome(const Result<Ok>& read, const test::EnvelopeText& handler) {
  if (!read) return "refused " + std::to_string(static_cast<int>(read.error().code));
  return handler.head + "\n" + handler.body.events;
}

std::string read_in_blocks(const std::string& text, std::size_t block,
                           std::string_view charset = {}) {
  test::Blocks source(as_bytes(text), block);
  test::EnvelopeText handler;
  const auto read = xml::read_envelope(source, charset, handler);
  return outcome(read, handler);
}

ErrorCode refusal(const std::string& text, test::EnvelopeText&& handler = {}) {
  MemorySource source(as_bytes(text));
  const auto read = xml::read_envelope(source, {}, handler);
  return read ? ErrorCode{} : read.error().code;
}

// What the reader tells of it, the same for every cut.
std::string events_everywhere(const std::string& document) {
  const std::string text = kFirstBlock + document;
  const std::string whole = read_in_blocks(text, text.size());
  for (std::size_t block = 1; block < 40; ++block)
    BOOST_TEST(read_in_blocks(text, block) == whole, "in blocks of " << block);
  for (std::size_t cut = 0; cut < document.size(); ++cut) {
    test::Blocks source(as_bytes(text), [&, n = 0]() mutable {
      return n++ == 0 ? kFirstBlock.size() + cut : text.size();
    });
    test::EnvelopeText handler;
    const auto read = xml::read_envelope(source, {}, handler);
    BOOST_TEST(outcome(read, handler) == whole, "cut at " << cut << " of " << document);
  }
  return whole;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(envelope_reader)

BOOST_AUTO_TEST_CASE(the_head_is_a_tree_and_the_body_is_events) {
  const std::string events = events_everywhere(
      envelope("<s:Body xmlns='urn:d' s:x='&lt;1'>\n<b c=\"2\">t&amp;<!-- c -->u<![CDATA[<v>]]>"
               "\xC3\xA6\r\n&#13;</b><e/></s:Body>",
               "<!-- c -->\n"));
  BOOST_TEST(events ==
             "<s:Envelope xmlns:s=\"urn:s\"><s:Header a=\"1\"> <h>x</h></s:Header>"
             "<s:Body s:x=\"&lt;1\"></s:Body></s:Envelope>\n"
             "start s{urn:s}Body line 1\n  xmlns:=urn:d\n  s{urn:s}x=<1\n"
             "text \n\n"
             "start {urn:d}b line 2\n  {}c=2\n"
             "text t&u<v>\xC3\xA6\n\r\n"
             "end\n"
             "start {urn:d}e line 3\n"
             "end\n"
             "end\n");
}

BOOST_AUTO_TEST_CASE(random_envelopes_are_told_as_a_walk_over_their_tree_tells_them) {
  std::mt19937 random(2);
  test::RandomXml generator([&](std::size_t bound) { return random() % bound; });
  for (int i = 0; i < 1000; ++i) {
    const std::string text = generator.document();
    const auto document = xml::Document::parse(as_bytes(text));
    BOOST_REQUIRE_MESSAGE(document, text);
    test::EventText walked;
    xml::walk((*document)->root().children().back(), walked);
    test::Blocks source(as_bytes(text), [&] { return 1 + random() % 100; });
    test::EnvelopeText handler;
    const auto read = xml::read_envelope(source, {}, handler);
    BOOST_REQUIRE_MESSAGE(read, read.error().detail << "\n" << text);
    BOOST_REQUIRE_MESSAGE(handler.body.events == walked.events, text << "\nstream:\n"
                                                                     << handler.body.events
                                                                     << "tree:\n"
                                                                     << walked.events);
    BOOST_TEST(handler.heads == 1);
  }
}

BOOST_AUTO_TEST_CASE(every_encoding_gives_the_same_events) {
  const std::string text = envelope("<s:Body>\xC3\xA6</s:Body>");
  const std::string expected = read_in_blocks(kFirstBlock + text, 7);
  std::string latin1 = kFirstBlock + text;
  latin1.replace(latin1.find("\xC3\xA6"), 2, "\xE6");
  std::string utf16 = "\xFF\xFE";
  for (const char c : latin1) (utf16 += c) += '\0';
  for (std::size_t block = 1; block < 20; ++block) {
    BOOST_TEST(read_in_blocks(latin1, block, "iso-8859-1") == expected);
    BOOST_TEST(read_in_blocks(utf16, block) == expected);
    BOOST_TEST(read_in_blocks("\xEF\xBB\xBF" + kFirstBlock + text, block) == expected);
    BOOST_TEST(read_in_blocks("<?xml version='1.0' encoding='UTF-8'?>" + kFirstBlock + text,
                              block) == expected);
  }
}

BOOST_AUTO_TEST_CASE(the_body_is_the_roots_child_in_the_roots_namespace) {
  const auto body_line = [](const std::string& text) {
    MemorySource source(as_bytes(text));
    test::EnvelopeText handler;
    const auto read = xml::read_envelope(source, {}, handler);
    return read ? handler.body.events.substr(0, handler.body.events.find('\n')) : "refused";
  };
  BOOST_TEST(body_line("<e xmlns='urn:s'><h><Body/></h>\n<Body/></e>") ==
             "start {urn:s}Body line 2");
  BOOST_TEST(body_line("<s:e xmlns:s='urn:s'><Body/>\n<s:Body/></s:e>") ==
             "start s{urn:s}Body line 2");
  BOOST_TEST(body_line("<e><Body/></e>") == "start {}Body line 1");
  BOOST_TEST(body_line("<s:e xmlns:s='urn:s' xmlns:t='urn:s'><t:Body/></s:e>") ==
             "start t{urn:s}Body line 1");
  BOOST_TEST(body_line("<s:e xmlns:s='urn:s'><s:body/></s:e>") == "refused");
  BOOST_TEST(body_line("<Body/>") == "refused");
}

BOOST_AUTO_TEST_CASE(what_follows_the_body_is_refused) {
  const std::string body = "<s:Body><a/></s:Body>";
  BOOST_TEST((refusal(envelope(body)) == ErrorCode{}));
  BOOST_TEST((refusal(envelope(body, " \n<!-- -->\t")) == ErrorCode{}));
  for (const char* behind : {"x", "<x/>", "<s:Body/>", "<s:Header/>", "<![CDATA[x]]>", "&lt;"})
    BOOST_TEST((refusal(envelope(body, behind)) == ErrorCode::not_soap), behind);
  BOOST_TEST((refusal(envelope(body) + "<x/>") == ErrorCode::xml_malformed));
  BOOST_TEST((refusal(envelope(body) + "x") == ErrorCode::xml_malformed));
  BOOST_TEST((refusal(envelope(body) + "<!-- -->\n") == ErrorCode{}));
}

BOOST_AUTO_TEST_CASE(document_types_and_instructions_are_refused_in_every_part) {
  const std::string body = "<s:Body><a/></s:Body>";
  for (const char* bad : {"<?x?>", "<!DOCTYPE x>", "<!ENTITY x 'y'>"}) {
    BOOST_TEST((refusal(bad + envelope(body)) == ErrorCode::xml_forbidden), bad);
    BOOST_TEST((refusal(envelope(std::string("<s:Body>") + bad + "</s:Body>")) ==
                ErrorCode::xml_forbidden),
               bad);
    BOOST_TEST((refusal(envelope(body, bad)) == ErrorCode::xml_forbidden), bad);
    BOOST_TEST((refusal(envelope(body) + bad) == ErrorCode::xml_forbidden), bad);
  }
  BOOST_TEST((refusal(envelope("<s:Body>&x;</s:Body>")) == ErrorCode::xml_malformed));
}

BOOST_AUTO_TEST_CASE(what_is_not_well_formed_is_refused_wherever_it_is_cut) {
  for (const char* body :
       {"<s:Body><a></s:Body>", "<s:Body>", "<s:Body><a b=1/></s:Body>", "<s:Body>]]></s:Body>",
        "<s:Body><a x='1' x='2'/></s:Body>", "<s:Body><p:a/></s:Body>", "<s:Body>\x01</s:Body>",
        "<s:Body>\xEF\xBF\xBF</s:Body>", "<s:Body>&#0;</s:Body>", "<s:Body>&#xD800;</s:Body>",
        "<s:Body><!-- -- --></s:Body>", "<s:Body>a & b</s:Body>", "<s:Body><a b='<'/></s:Body>",
        "<s:Body xmlns:a='urn:1' xmlns:b='urn:1'><c a:x='' b:x=''/></s:Body>",
        "<s:Body xmlns:a=''/>", "<s:Body xmlns:xmlns='urn:1'/>", "<s:Body>xx]]]]>y</s:Body>"}) {
    BOOST_TEST(events_everywhere(envelope(body)) == "refused 1001", body);
  }
}

// libxml2 works on what is in its buffer, which it fills 4,000 octets at a time.
BOOST_AUTO_TEST_CASE(everything_is_read_alike_wherever_the_parsers_buffer_ends) {
  const std::string body =
      "<a xmlns:p='urn:p' b='1\r\n2\r3\n&#13;&amp;\xC3\xA6\xF0\x9F\x94\x8C'>x\r\n\r\ny\r&#13;\n"
      "&lt;\xC3\xA6]]&gt;\xF0\x9F\x94\x8C&#x1F50C;<!-- \r\n -\xC3\xA6- --><![CDATA[\r\n]] >]]]>"
      "<p:element-name p:attribute-name = \"'\"\r\n></p:element-name\r\n></a>";
  for (std::size_t padding = 0; padding < 4100; ++padding) {
    const std::string text = envelope("<s:Body><c d='" + std::string(padding / 2, 'x') + "'/>" +
                                      std::string(3800 - padding / 2, ' ') +
                                      std::string(padding, 'y') + body + body + "</s:Body>");
    const auto document = xml::Document::parse(as_bytes(text));
    BOOST_REQUIRE_MESSAGE(document, document.error().detail);
    test::EventText walked;
    xml::walk((*document)->root().children().back(), walked);
    MemorySource source(as_bytes(text));
    test::EnvelopeText handler;
    const auto read = xml::read_envelope(source, {}, handler);
    BOOST_REQUIRE_MESSAGE(read, padding << ": " << read.error().detail);
    BOOST_REQUIRE_MESSAGE(handler.body.events == walked.events, "padding " << padding);
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_section_in_text_is_refused_at_every_place) {
  std::size_t accepted = 0;
  for (std::size_t length = 0; length < 9000; length += 1) {
    const std::string text = envelope("<s:Body>" + std::string(length, 'x') + "]]>" +
                                      std::string(9000 - length, 'x') + "</s:Body>");
    if (refusal(text) == ErrorCode{}) ++accepted;
  }
  BOOST_TEST(accepted == 0U);
}

BOOST_AUTO_TEST_CASE(a_head_is_bounded_and_a_body_is_not) {
  const auto of_head = [](std::size_t octets) {
    std::string head = "<s:Envelope xmlns:s='urn:s'><s:Header>";
    while (head.size() + 1100 < octets) head += "<h>" + std::string(1000, 'x') + "</h>";
    return head + "</s:Header><s:Body/></s:Envelope>";
  };
  BOOST_TEST((refusal(of_head(limits::kHeaderOctetsMax - 2000)) == ErrorCode{}));
  BOOST_TEST((refusal(of_head(limits::kHeaderOctetsMax + 8000)) == ErrorCode::limit_exceeded));
  const auto of_nodes = [](std::size_t count) {
    std::string head = "<s:Envelope xmlns:s='urn:s'><s:Header>";
    for (std::size_t i = 0; i < count / 4; ++i) head += "<h a='' xmlns='urn:h'><!----></h>";
    return head + "</s:Header><s:Body/></s:Envelope>";
  };
  for (const auto& [count, expected] :
       {std::pair{limits::kHeaderNodesMax - 16, ErrorCode{}},
        std::pair{limits::kHeaderNodesMax + 4, ErrorCode::limit_exceeded}}) {
    BOOST_TEST((refusal(of_nodes(count)) == expected), count);
    const auto tree = xml::Document::parse(as_bytes(of_nodes(count)));
    BOOST_REQUIRE(tree);
    const auto checked = xml::check_head(**tree);
    BOOST_TEST(((checked ? ErrorCode{} : checked.error().code) == expected), count);
  }
  std::string body;
  while (body.size() < 3 * limits::kHeaderOctetsMax)
    body += "<h>" + std::string(1000, 'x') + "</h>";
  BOOST_TEST((refusal(envelope("<s:Body>" + body + "</s:Body>")) == ErrorCode{}));
}

BOOST_AUTO_TEST_CASE(no_more_is_read_of_a_head_that_never_ends_than_a_head_may_have) {
  for (const char* piece : {"<h>x</h>", "<!-- never a tag -->", "   ", "x", "<h>"}) {
    std::string text = "<s:Envelope xmlns:s='urn:s'>";
    while (text.size() < std::size_t{8} * 1024 * 1024) text += piece;
    test::Blocks source(as_bytes(text), 16 * 1024);
    test::EnvelopeText handler;
    const auto read = xml::read_envelope(source, {}, handler);
    BOOST_TEST((!read && read.error().code == ErrorCode::limit_exceeded), piece);
    BOOST_TEST(source.asked * 16 * 1024 <= limits::kHeaderOctetsMax + 64 * 1024, piece);
    BOOST_TEST(handler.heads == 0);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_asked_for_behind_a_head_that_is_refused) {
  std::string body = "<s:Body>";
  while (body.size() < 1'000'000) body += "<h>" + std::string(1000, 'x') + "</h>";
  const std::string text = envelope(body + "</s:Body>");
  test::Blocks source(as_bytes(text), 1024);
  test::EnvelopeText handler;
  handler.refuse_head = true;
  const auto read = xml::read_envelope(source, {}, handler);
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ErrorCode::authentication_failed));
  BOOST_TEST(source.asked <= 8U);  // what the parser's buffer takes
  BOOST_TEST(handler.body.events.empty());
}

BOOST_AUTO_TEST_CASE(the_handler_may_end_it_at_each_start_tag) {
  const std::string text = envelope("<s:Body><a/><b/><c/></s:Body>");
  for (int call = 1; call <= 5; ++call) {
    test::EnvelopeText handler;
    handler.refuse_state = call;
    MemorySource source(as_bytes(text));
    const auto read = xml::read_envelope(source, {}, handler);
    BOOST_REQUIRE(!read);
    BOOST_TEST((read.error().code == ErrorCode::overloaded));
    BOOST_TEST(handler.states == call);
  }
}

BOOST_AUTO_TEST_CASE(an_error_of_the_source_is_that_of_the_reader) {
  class Cut final : public ByteSource {
   public:
    explicit Cut(std::string text) : text_(std::move(text)) {}
    Result<ByteView> next() override {
      if (begun_) return fail(ErrorCode::request_cut, "gone");
      begun_ = true;
      return as_bytes(text_);
    }

   private:
    std::string text_;
    bool begun_ = false;
  };
  const std::string text = kFirstBlock + envelope("<s:Body><a>xyz</a></s:Body>");
  for (std::size_t size = kFirstBlock.size(); size < text.size(); ++size) {
    Cut source(text.substr(0, size));
    test::EnvelopeText handler;
    const auto read = xml::read_envelope(source, {}, handler);
    BOOST_REQUIRE(!read);
    BOOST_TEST((read.error().code == ErrorCode::request_cut), "cut at " << size);
  }
}

BOOST_AUTO_TEST_CASE(text_is_given_whole_however_long_it_is) {
  const std::string long_text(limits::kXmlTextBytesMax - 10, 'x');
  const std::string text = envelope("<s:Body>" + long_text + "</s:Body>");
  test::Blocks source(as_bytes(text), 777);
  test::EnvelopeText handler;
  BOOST_REQUIRE(xml::read_envelope(source, {}, handler));
  BOOST_TEST((handler.body.events == "start s{urn:s}Body line 1\ntext " + long_text + "\nend\n"));
}

BOOST_AUTO_TEST_CASE(an_empty_source_is_malformed) {
  BOOST_TEST((refusal("") == ErrorCode::xml_malformed));
  BOOST_TEST((refusal(" ") == ErrorCode::xml_malformed));
  BOOST_TEST((refusal("<!-- -->") == ErrorCode::xml_malformed));
}

BOOST_AUTO_TEST_SUITE_END()
