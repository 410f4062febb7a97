#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "model/fault.h"
#include "soap/body_writer.h"
#include "soap/operation_reader.h"
#include "soap/response_reader.h"
#include "xml/document.h"
#include "xml/namespaces.h"
#include "xml/schema.h"

namespace {

using namespace district;

constexpr const char* kId = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

Instant at(const char* text) { return *parse_date_time(text); }

Sha256Digest digest(unsigned char first) {
  Sha256Digest result{};
  result[0] = std::byte{first};
  result[31] = std::byte{0xFE};
  return result;
}

Receipt a_receipt() {
  return {kId, at("2026-11-20T10:15:00.123456Z"), 24, digest(1), 1041, 1042, digest(2)};
}

std::string_view soap_uri(SoapVersion version) {
  return version == SoapVersion::v11 ? xml::ns::kSoap11 : xml::ns::kSoap12;
}

// The Body as xml/signed_envelope.h writes it around a content.
std::string signed_body(SoapVersion version, const std::string& content) {
  return "<soap:Body xmlns:soap=\"" + std::string(soap_uri(version)) + "\" xmlns:wsu=\"" +
         std::string(xml::ns::kWsu) + "\" wsu:Id=\"B\">" + content + "</soap:Body>";
}

std::shared_ptr<const xml::Document> parsed(const std::string& text) {
  xml::initialize();
  auto document = xml::Document::parse(as_bytes(text));
  BOOST_REQUIRE_MESSAGE(document, (document ? "" : document.error().detail) << "\n" << text);
  return *document;
}

// What a receiver digests: exclusive C14N with the PrefixList that the Body is signed with.
void check_canonical(SoapVersion version, const std::string& content) {
  const std::string body = signed_body(version, content);
  const auto document = parsed("<soap:Envelope xmlns:soap=\"" + std::string(soap_uri(version)) +
                               "\">" + body + "</soap:Envelope>");
  const auto canonical = xml::canonicalize(document->root().children().front(),
                                           acknowledge::BodyWriter::inclusive_prefixes());
  BOOST_REQUIRE(canonical);
  BOOST_TEST(*canonical == body);
}

// The Body's child as a gateway hands it to the reader.
std::string self_contained(SoapVersion version, const std::string& content) {
  const auto document = parsed(signed_body(version, content));
  auto text = xml::canonicalize(document->root().children().front(),
                                acknowledge::BodyWriter::inclusive_prefixes());
  BOOST_REQUIRE(text);
  return *text;
}

Error an_error(ErrorCode code) {
  Error error{code, "secret cause", "", {}, {}};
  if (code == ErrorCode::message_replayed) {
    error.first_copy =
        std::make_shared<FirstCopy>(FirstCopy{kId, at("2026-11-20T10:14:00.5Z"), digest(3)});
  }
  if (code == ErrorCode::schema_invalid) {
    error.violations = {
        {2, "/messages/message[2]/head/timestamp", 17, "a < \"b\" & 'c' > \xC3\xA4"},
        {0, "/", 0, "second"}};
  }
  return error;
}

const std::vector<ErrorCode> kCodes = {
    ErrorCode::xml_malformed,      ErrorCode::soap_version_mismatch,
    ErrorCode::must_understand,    ErrorCode::overloaded,
    ErrorCode::security_invalid,   ErrorCode::algorithm_unsupported,
    ErrorCode::token_unsupported,  ErrorCode::token_unavailable,
    ErrorCode::token_invalid,      ErrorCode::authentication_failed,
    ErrorCode::signature_failed,   ErrorCode::message_expired,
    ErrorCode::message_replayed,   ErrorCode::schema_invalid,
    ErrorCode::archive_unavailable};

BOOST_AUTO_TEST_SUITE(operation_reader)

std::string request(const std::string& rest) {
  return "<x:AggregateMessageRequest xmlns:x=\"http://urb-grade.eu\">" + rest +
         "</x:AggregateMessageRequest>";
}

BOOST_AUTO_TEST_CASE(the_operation_and_the_collapsed_tenant_code_are_read) {
  const soap::OperationReader reader;
  const auto head =
      reader.read(request("<messages></messages><x:tenantCode> \n 1 0\t</x:tenantCode>"));
  BOOST_REQUIRE_MESSAGE(head, (head ? "" : head.error().detail));
  BOOST_TEST(head->operation == "AggregateMessage");
  BOOST_TEST(head->tenant_code == "1 0");
}

BOOST_AUTO_TEST_CASE(one_context_serves_many_requests_and_recovers_from_bad_ones) {
  const soap::OperationReader reader;
  for (int i = 0; i < 50; ++i) {
    const auto good =
        reader.read(request("<messages/><x:tenantCode>" + std::to_string(i) + "</x:tenantCode>"));
    BOOST_REQUIRE(good);
    BOOST_TEST(good->tenant_code == std::to_string(i));
    BOOST_TEST(!reader.read(request("<messages/>")));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_the_operation_is_refused) {
  const soap::OperationReader reader;
  const std::string bad[] = {
      "<x:Other xmlns:x=\"http://urb-grade.eu\"/>",
      "<AggregateMessageRequest/>",
      request("<messages/>"),                             // no tenantCode
      request("<x:tenantCode>10</x:tenantCode>"),         // no messages
      request("<messages/><tenantCode>10</tenantCode>"),  // in no namespace
      request("<messages/><x:tenantCode>1</x:tenantCode><x:tenantCode>2</x:tenantCode>"),
      request("<messages/><x:tenantCode></x:tenantCode>"),
      "not XML",
      ""};
  for (const std::string& text : bad) {
    const auto head = reader.read(text);
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(!head);
      if (!head)
        BOOST_TEST(static_cast<int>(head.error().code) ==
                   static_cast<int>(ErrorCode::schema_invalid));
    }
  }
}

BOOST_AUTO_TEST_CASE(threads_read_side_by_side) {
  const soap::OperationReader reader;
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string code = std::to_string(t) + "-" + std::to_string(i);
        const auto head =
            reader.read(request("<messages/><x:tenantCode>" + code + "</x:tenantCode>"));
        if (!head || head->tenant_code != code) ++wrong[t];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int count : wrong) BOOST_TEST(count == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(body_writer)

BOOST_AUTO_TEST_CASE(a_receipt_is_canonical_and_valid) {
  const soap::BodyWriter writer;
  const auto text = writer.receipt(a_receipt());
  BOOST_REQUIRE_MESSAGE(text, (text ? "" : text.error().detail));
  check_canonical(SoapVersion::v11, *text);
  check_canonical(SoapVersion::v12, *text);
  const auto schema = xml::Schema::compile("aggregation.xsd");
  BOOST_REQUIRE_MESSAGE(schema, (schema ? "" : schema.error().detail));
  const auto document = parsed(*text);
  for (const auto& violation : schema->validate(document->root())) BOOST_ERROR(violation.reason);
  BOOST_TEST(document->root().is(xml::ns::kUrb, "AggregateMessageResponse"));
}

BOOST_AUTO_TEST_CASE(a_receipt_needs_no_prefix_list) {
  const auto text = soap::BodyWriter().receipt(a_receipt());
  BOOST_REQUIRE(text);
  const auto document = parsed(signed_body(SoapVersion::v11, *text));
  BOOST_TEST(*xml::canonicalize(document->root()) == signed_body(SoapVersion::v11, *text));
}

BOOST_AUTO_TEST_CASE(every_fault_is_canonical_in_a_signed_body_with_and_without_detail) {
  const soap::BodyWriter writer;
  for (const auto version : {SoapVersion::v11, SoapVersion::v12}) {
    for (const ErrorCode code : kCodes) {
      const auto text = writer.fault(version, an_error(code), kId, true);
      BOOST_TEST_CONTEXT("code " << static_cast<int>(code)) {
        BOOST_REQUIRE_MESSAGE(text, (text ? "" : text.error().detail));
        check_canonical(version, *text);
        BOOST_TEST(text->find("secret") == std::string::npos);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_fault_without_detail_stands_in_a_plain_body) {
  const soap::BodyWriter writer;
  for (const auto version : {SoapVersion::v11, SoapVersion::v12}) {
    for (const ErrorCode code : kCodes) {
      const auto text = writer.fault(version, an_error(code), kId, false);
      BOOST_REQUIRE(text);
      const auto document = parsed("<soap:Envelope xmlns:soap=\"" + std::string(soap_uri(version)) +
                                   "\"><soap:Body>" + *text + "</soap:Body></soap:Envelope>");
      auto named = document->root().children().front().children().front();
      BOOST_TEST(named.is(soap_uri(version), "Fault"));
      named = version == SoapVersion::v11 ? named.child("", "faultcode")
                                          : named.child(soap_uri(version), "Code");
      while (named.has_child_elements()) named = named.children().back();
      const std::string qname = named.text();
      const auto uri = named.resolve_prefix(qname.substr(0, qname.find(':')));
      const auto kind = fault_kind(code);
      BOOST_TEST(uri.value_or("unbound") ==
                 (kind.prefix == "soap" ? soap_uri(version) : kind.namespace_uri));
      BOOST_TEST(text->find(kId) != std::string::npos);
      BOOST_TEST(text->find("<urb:InvalidMessage") == std::string::npos);
      BOOST_TEST(text->find("<urb:MessageReplayed") == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(details_are_valid_and_bounded) {
  Error error = an_error(ErrorCode::schema_invalid);
  error.violations.assign(30, {3, "/p", 5, std::string(5000, 'x')});
  const auto text = soap::BodyWriter().fault(SoapVersion::v11, error, kId, true);
  BOOST_REQUIRE(text);
  const auto document = parsed(signed_body(SoapVersion::v11, *text));
  const auto detail = document->root().children().front().child("", "detail");
  const auto schema = xml::Schema::compile("aggregation.xsd");
  BOOST_REQUIRE(schema);
  BOOST_TEST(detail.children().size() == 2U);
  for (const auto entry : detail.children()) {
    for (const auto& violation : schema->validate(entry)) BOOST_ERROR(violation.reason);
  }
  const auto invalid = detail.child(xml::ns::kUrb, "InvalidMessage");
  BOOST_REQUIRE(invalid);
  BOOST_TEST(invalid.children().size() == limits::kViolationsMax);
  BOOST_TEST(text->size() < 20 * 1000U);
}

BOOST_AUTO_TEST_CASE(text_that_xml_cannot_hold_is_replaced) {
  Error error{ErrorCode::header_rule,
              "",
              "",
              {{1, "/a", 1, "bad \x01 \xFF \xED\xA0\x80 \xEF\xBF\xBF <SOAP-ENV:x> \r\n ok"}},
              {}};
  const auto text = soap::BodyWriter().fault(SoapVersion::v11, error, kId, true);
  BOOST_REQUIRE(text);
  check_canonical(SoapVersion::v11, *text);
  BOOST_TEST(text->find("&lt;SOAP-ENV:x&gt;") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(response_reader)

BOOST_AUTO_TEST_CASE(a_receipt_comes_back_as_it_was_written) {
  const auto text = soap::BodyWriter().receipt(a_receipt());
  BOOST_REQUIRE(text);
  for (const auto version : {SoapVersion::v11, SoapVersion::v12}) {
    const auto answer = soap::read_response(self_contained(version, *text), version);
    BOOST_REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().detail));
    const auto* receipt = std::get_if<Receipt>(&*answer);
    BOOST_REQUIRE(receipt != nullptr);
    const Receipt expected = a_receipt();
    BOOST_TEST(receipt->receipt_id == expected.receipt_id);
    BOOST_TEST((receipt->received_at == expected.received_at));
    BOOST_TEST(receipt->message_count == expected.message_count);
    BOOST_TEST((receipt->payload_digest == expected.payload_digest));
    BOOST_TEST(receipt->leaf_index == expected.leaf_index);
    BOOST_TEST(receipt->tree_size == expected.tree_size);
    BOOST_TEST((receipt->root_hash == expected.root_hash));
  }
}

BOOST_AUTO_TEST_CASE(every_fault_comes_back_with_its_code_and_detail) {
  const soap::BodyWriter writer;
  for (const auto version : {SoapVersion::v11, SoapVersion::v12}) {
    for (const ErrorCode code : kCodes) {
      const auto text = writer.fault(version, an_error(code), kId, true);
      BOOST_REQUIRE(text);
      const auto answer = soap::read_response(self_contained(version, *text), version);
      BOOST_TEST_CONTEXT("code " << static_cast<int>(code) << "\n" << *text) {
        BOOST_REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().detail));
        const auto* fault = std::get_if<soap::ServerFault>(&*answer);
        BOOST_REQUIRE(fault != nullptr);
        const FaultKind kind = fault_kind(code);
        std::string expected(kind.local);
        if (version == SoapVersion::v12 && expected == "Client") expected = "Sender";
        if (version == SoapVersion::v12 && expected == "Server") expected = "Receiver";
        BOOST_TEST(fault->code == expected);
        BOOST_TEST(fault->code_namespace ==
                   (kind.prefix == "soap" ? soap_uri(version) : kind.namespace_uri));
        BOOST_TEST(fault->text == kind.text);
        BOOST_TEST(fault->rejection_id == kId);
        BOOST_TEST(fault->violations.size() == (code == ErrorCode::schema_invalid ? 2U : 0U));
        BOOST_TEST(fault->first_copy.has_value() == (code == ErrorCode::message_replayed));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(violations_and_first_copy_keep_their_values) {
  const soap::BodyWriter writer;
  auto text = writer.fault(SoapVersion::v11, an_error(ErrorCode::schema_invalid), kId, true);
  auto answer = soap::read_response(self_contained(SoapVersion::v11, *text), SoapVersion::v11);
  BOOST_REQUIRE(answer);
  const auto violations = std::get<soap::ServerFault>(*answer).violations;
  BOOST_REQUIRE(violations.size() == 2U);
  BOOST_TEST(violations[0].message_index == 2U);
  BOOST_TEST(violations[0].path == "/messages/message[2]/head/timestamp");
  BOOST_TEST(violations[0].line == 17);
  BOOST_TEST(violations[0].reason == "a < \"b\" & 'c' > \xC3\xA4");
  text = writer.fault(SoapVersion::v12, an_error(ErrorCode::message_replayed), kId, true);
  answer = soap::read_response(self_contained(SoapVersion::v12, *text), SoapVersion::v12);
  BOOST_REQUIRE(answer);
  const auto& first = std::get<soap::ServerFault>(*answer).first_copy;
  BOOST_REQUIRE(first);
  BOOST_TEST((first->payload_digest == digest(3)));
  BOOST_TEST((first->received_at == at("2026-11-20T10:14:00.5Z")));
}

BOOST_AUTO_TEST_CASE(what_is_neither_is_an_error) {
  for (const std::string text :
       {"<html/>", "", "<a", "<x:AggregateMessageResponse xmlns:x=\"http://urb-grade.eu\"/>"}) {
    const auto answer = soap::read_response(text, SoapVersion::v11);
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(!answer);
      if (!answer)
        BOOST_TEST(static_cast<int>(answer.error().code) ==
                   static_cast<int>(ErrorCode::gateway_receipt_invalid));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
