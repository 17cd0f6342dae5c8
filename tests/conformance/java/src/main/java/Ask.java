import com.datadog.api.client.ApiClient;
import com.datadog.api.client.ApiException;
import com.datadog.api.client.JSON;
import com.datadog.api.client.v2.api.ProcessesApi;
import com.datadog.api.client.v2.api.ProcessesApi.ListProcessesOptionalParameters;
import com.datadog.api.client.v2.model.APIErrorResponse;
import com.datadog.api.client.v2.model.ProcessSummariesResponse;
import com.datadog.api.client.v2.model.ProcessSummary;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Asks what the list of cases says, through Datadog's Java client: {@code java Ask cases.json}, a line for each. */
public final class Ask {
  private static final ObjectMapper MAPPER = JSON.getDefault().getMapper();

  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (JsonNode asked : MAPPER.readTree(Path.of(arguments[0]).toFile())) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("name", asked.get("name").asText());
      result.put("asked_at", System.currentTimeMillis() / 1e3);
      result.putAll(ask(asked));
      result.put("answered_at", System.currentTimeMillis() / 1e3);
      out.println(MAPPER.writeValueAsString(result));
    }
  }

  private static Map<String, Object> ask(JsonNode asked) throws Exception {
    ProcessesApi api = new ProcessesApi(client(asked));
    ListProcessesOptionalParameters parameters = parameters(asked.get("parameters"));
    try {
      if (asked.get("all_pages").asBoolean()) {
        List<ProcessSummary> found = new ArrayList<>();
        api.listProcessesWithPagination(parameters).forEach(found::add);
        return Map.of("status", 200, "data", checked(found));
      }
      ProcessSummariesResponse answer = api.listProcesses(parameters);
      return Map.of(
          "status", 200,
          "data", checked(answer.getData()),
          "after", answer.getMeta().getPage().getAfter(),
          "size", answer.getMeta().getPage().getSize());
    } catch (ApiException refused) {
      return refusal(refused);
    } catch (RuntimeException wrapped) {
      // While it turns the pages, the client wraps what it is told.
      for (Throwable cause = wrapped; cause != null; cause = cause.getCause()) {
        if (cause instanceof ApiException refused) {
          return refusal(refused);
        }
      }
      throw wrapped;
    }
  }

  static ApiClient client(JsonNode asked) {
    ApiClient client = new ApiClient();
    client.setBasePath(asked.get("url").asText());
    client.setServerIndex(null);
    String bearer = asked.get("bearer").asText();
    if (bearer.isEmpty()) {
      client.configureApiKeys(
          Map.of("apiKeyAuth", asked.get("api_key").asText(), "appKeyAuth", asked.get("application_key").asText()));
    } else {
      client.setAccessToken(bearer);
    }
    client.enableRetry(asked.get("retry").asBoolean());
    return client;
  }

  private static ListProcessesOptionalParameters parameters(JsonNode given) {
    ListProcessesOptionalParameters parameters = new ListProcessesOptionalParameters();
    if (given.has("search")) {
      parameters.search(given.get("search").asText());
    }
    if (given.has("tags")) {
      parameters.tags(given.get("tags").asText());
    }
    if (given.has("from")) {
      parameters.from(given.get("from").asLong());
    }
    if (given.has("to")) {
      parameters.to(given.get("to").asLong());
    }
    if (given.has("page_limit")) {
      parameters.pageLimit(given.get("page_limit").asInt());
    }
    if (given.has("page_cursor")) {
      parameters.pageCursor(given.get("page_cursor").asText());
    }
    return parameters;
  }

  /** The client hides what it has not understood in a field, which would come out as if all was well. */
  private static List<ProcessSummary> checked(List<ProcessSummary> processes) {
    for (ProcessSummary process : processes) {
      if (process.unparsed || process.getAttributes().unparsed) {
        throw new IllegalStateException("not understood: " + process);
      }
    }
    return processes;
  }

  private static Map<String, Object> refusal(ApiException refused) throws Exception {
    APIErrorResponse model = MAPPER.readValue(refused.getResponseBody(), APIErrorResponse.class);
    return Map.of("status", refused.getCode(), "errors", model.getErrors());
  }
}
