import com.datadog.api.client.ApiClient;
import com.datadog.api.client.ApiException;
import com.datadog.api.client.JSON;
import com.datadog.api.client.v1.api.AuthenticationApi;
import com.datadog.api.client.v1.api.DashboardListsApi;
import com.datadog.api.client.v1.api.MonitorsApi;
import com.datadog.api.client.v1.api.MonitorsApi.GetMonitorOptionalParameters;
import com.datadog.api.client.v1.api.MonitorsApi.ListMonitorsOptionalParameters;
import com.datadog.api.client.v1.api.MonitorsApi.SearchMonitorGroupsOptionalParameters;
import com.datadog.api.client.v1.api.MonitorsApi.SearchMonitorsOptionalParameters;
import com.datadog.api.client.v1.api.WebhooksIntegrationApi;
import com.datadog.api.client.v1.model.APIErrorResponse;
import com.datadog.api.client.v1.model.Monitor;
import com.datadog.api.client.v1.model.MonitorUpdateRequest;
import com.datadog.api.client.v1.model.WebhooksIntegration;
import com.datadog.api.client.v1.model.WebhooksIntegrationCustomVariable;
import com.datadog.api.client.v1.model.WebhooksIntegrationCustomVariableUpdateRequest;
import com.datadog.api.client.v1.model.WebhooksIntegrationUpdateRequest;
import com.datadog.api.client.v2.api.ContainersApi;
import com.datadog.api.client.v2.api.ContainersApi.ListContainersOptionalParameters;
import com.datadog.api.client.v2.api.DowntimesApi;
import com.datadog.api.client.v2.api.DowntimesApi.ListDowntimesOptionalParameters;
import com.datadog.api.client.v2.api.MetricsApi;
import com.datadog.api.client.v2.model.DowntimeCreateRequest;
import com.datadog.api.client.v2.model.DowntimeResponse;
import com.datadog.api.client.v2.model.DowntimeUpdateRequest;
import com.datadog.api.client.v2.model.ScalarFormulaQueryRequest;
import com.datadog.api.client.v2.model.TimeseriesFormulaQueryRequest;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Keeps monitors, webhooks and downtimes in the order of the other languages, with the bodies that they all have, and
 * asks for numbers and containers.
 */
public final class Monitors {
  private static final ObjectMapper MAPPER = JSON.getDefault().getMapper();
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private final ApiClient client;
  private final JsonNode bodies;

  private Monitors(JsonNode asked) {
    client = Ask.client(asked);
    bodies = asked.get("bodies");
  }

  public static void main(String[] arguments) throws Exception {
    for (JsonNode asked : MAPPER.readTree(Path.of(arguments[0]).toFile())) {
      Monitors monitors = new Monitors(asked);
      long id = monitors.keep();
      monitors.webhooks();
      monitors.downtimes(id);
      monitors.leave(id);
      monitors.queries();
      monitors.containers();
    }
  }

  private long keep() throws Exception {
    MonitorsApi api = new MonitorsApi(client);
    Monitor monitor = read("monitor", Monitor.class);
    say("keys", () -> new AuthenticationApi(client).validate());
    say("validate", () -> api.validateMonitor(monitor));
    Monitor made = say("create", () -> api.createMonitor(monitor));
    long id = made.getId();
    say("read", () -> api.getMonitor(id, new GetMonitorOptionalParameters().groupStates("all").withDowntimes(true)));
    say("validate existing", () -> api.validateExistingMonitor(id, monitor));
    say("update", () -> api.updateMonitor(id, read("monitor update", MonitorUpdateRequest.class)));
    say("second", () -> api.createMonitor(read("second monitor", Monitor.class)));
    say("list", () -> api.listMonitors(new ListMonitorsOptionalParameters().name("web").monitorTags("team:web")));
    say("pages", () -> all(api.listMonitorsWithPagination(new ListMonitorsOptionalParameters().pageSize(1))));
    say("search", () -> api.searchMonitors(new SearchMonitorsOptionalParameters().query("web is")));
    say("search groups", () -> api.searchMonitorGroups(new SearchMonitorGroupsOptionalParameters().query("web is")));
    say("can delete", () -> api.checkCanDeleteMonitor(List.of(id)));
    for (String bad : List.of("bad query", "other type")) {
      say(bad, () -> api.createMonitor(read(bad, Monitor.class)));
    }
    return id;
  }

  private void webhooks() throws Exception {
    WebhooksIntegrationApi api = new WebhooksIntegrationApi(client);
    say("webhook", () -> api.createWebhooksIntegration(read("webhook", WebhooksIntegration.class)));
    say("webhook read", () -> api.getWebhooksIntegration("oncall"));
    WebhooksIntegrationUpdateRequest change = read("webhook update", WebhooksIntegrationUpdateRequest.class);
    say("webhook update", () -> api.updateWebhooksIntegration("oncall", change));
    say("webhook delete", () -> nothing(() -> api.deleteWebhooksIntegration("oncall")));
    say("webhook gone", () -> api.getWebhooksIntegration("oncall"));

    WebhooksIntegrationCustomVariable variable = read("variable", WebhooksIntegrationCustomVariable.class);
    WebhooksIntegrationCustomVariableUpdateRequest other =
        read("variable update", WebhooksIntegrationCustomVariableUpdateRequest.class);
    say("variable", () -> api.createWebhooksIntegrationCustomVariable(variable));
    say("variable read", () -> api.getWebhooksIntegrationCustomVariable("TOKEN"));
    say("variable update", () -> api.updateWebhooksIntegrationCustomVariable("TOKEN", other));
    say("variable delete", () -> nothing(() -> api.deleteWebhooksIntegrationCustomVariable("TOKEN")));
  }

  private void downtimes(long monitor) throws Exception {
    DowntimesApi api = new DowntimesApi(client);
    DowntimeResponse once =
        say("downtime once", () -> api.createDowntime(read("downtime once", DowntimeCreateRequest.class)));
    DowntimeResponse weekly =
        say("downtime weekly", () -> api.createDowntime(read("downtime weekly", DowntimeCreateRequest.class)));
    String id = once.getData().getId();
    say("downtime read", () -> api.getDowntime(weekly.getData().getId()));
    DowntimeUpdateRequest change = read("downtime update", DowntimeUpdateRequest.class);
    change.getData().id(id);
    say("downtime update", () -> api.updateDowntime(id, change));
    ListDowntimesOptionalParameters current = new ListDowntimesOptionalParameters().currentOnly(true).pageLimit(1L);
    say("downtimes", () -> all(api.listDowntimesWithPagination(current)));
    say("downtimes of the monitor", () -> api.listMonitorDowntimes(monitor));
    say("downtime cancel", () -> nothing(() -> api.cancelDowntime(id)));
    say("downtime canceled", () -> api.getDowntime(id));
  }

  private void leave(long monitor) throws Exception {
    MonitorsApi api = new MonitorsApi(client);
    say("delete", () -> api.deleteMonitor(monitor));
    say("gone", () -> api.getMonitor(monitor));
  }

  private void queries() throws Exception {
    MetricsApi api = new MetricsApi(client);
    for (String name : List.of("timeseries", "two sources", "container timeseries")) {
      // This version knows no query of processes, and sends one as it stands.
      TimeseriesFormulaQueryRequest request =
          MAPPER.treeToValue(bodies.get(name), TimeseriesFormulaQueryRequest.class);
      say(name, () -> api.queryTimeseriesData(request));
    }
    for (String name : List.of("scalar", "container scalar")) {
      ScalarFormulaQueryRequest request = MAPPER.treeToValue(bodies.get(name), ScalarFormulaQueryRequest.class);
      say(name, () -> api.queryScalarData(request));
    }
    say("elsewhere", () -> new DashboardListsApi(client).getDashboardList(7L));
  }

  private void containers() throws Exception {
    ContainersApi api = new ContainersApi(client);
    ListContainersOptionalParameters two = new ListContainersOptionalParameters().pageSize(2).sort("-name");
    say("containers", () -> all(api.listContainersWithPagination(two)));
    ListContainersOptionalParameters production =
        new ListContainersOptionalParameters().filterTags("env:prod,!team:db");
    say("containers of production", () -> api.listContainers(production));
    ListContainersOptionalParameters groups = new ListContainersOptionalParameters().groupBy("env,team").pageSize(1);
    say("container groups", () -> all(api.listContainersWithPagination(groups)));
    say("bad containers", () -> api.listContainers(new ListContainersOptionalParameters().sort("nothing")));
  }

  /** As the client's own model reads it. */
  private <T> T read(String name, Class<T> model) throws Exception {
    return understood(MAPPER.treeToValue(bodies.get(name), model));
  }

  private interface Call<T> {
    T run() throws Exception;
  }

  private interface SilentCall {
    void run() throws Exception;
  }

  private static Object nothing(SilentCall call) throws Exception {
    call.run();
    return null;
  }

  private static <T> List<T> all(Iterable<T> pages) {
    List<T> found = new ArrayList<>();
    pages.forEach(found::add);
    return found;
  }

  private static <T> T say(String name, Call<T> call) throws Exception {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("name", name);
    T value = null;
    try {
      value = understood(call.run());
      line.put("status", 200);
      line.put("value", value);
    } catch (ApiException refused) {
      line.put("status", refused.getCode());
      line.put("errors", MAPPER.readValue(refused.getResponseBody(), APIErrorResponse.class).getErrors());
    }
    OUT.println(MAPPER.writeValueAsString(line));
    return value;
  }

  /** The client hides what it has not understood in a field, which would come out as if all was well. */
  private static <T> T understood(T value) throws Exception {
    if (value instanceof List<?> values) {
      for (Object one : values) {
        understood(one);
      }
    } else if (value != null && value.getClass().getName().startsWith("com.datadog.api.client.v")) {
      if (value.getClass().getField("unparsed").getBoolean(value)) {
        throw new IllegalStateException("not understood: " + value);
      }
    }
    return value;
  }
}
