import java.nio.file.Path;
import org.neo4j.dbms.api.DatabaseManagementService;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;

/**
 * A real Neo4j without its server distribution: the database and its Bolt connector, made from
 * the jars that Maven has. Arguments: the home folder and a neo4j.conf.
 */
public final class Neo4jServer {
    public static void main(String[] arguments) throws InterruptedException {
        DatabaseManagementService service =
                new DatabaseManagementServiceBuilder(Path.of(arguments[0]))
                        .loadPropertiesFromFile(Path.of(arguments[1]))
                        .build();
        Runtime.getRuntime().addShutdownHook(new Thread(service::shutdown));
        System.out.println("started");
        Thread.currentThread().join();
    }
}
