using System.Text;

namespace Epcis.Tests;

/// <summary>The rows of a comma-separated file with a heading, fields quoted where they hold commas or quotes.</summary>
public static class CsvTable
{
    public static IReadOnlyList<IReadOnlyDictionary<string, string>> Read(string path)
    {
        var lines = File.ReadAllLines(path);
        var names = Fields(lines[0]);
        return [.. lines.Skip(1).Where(l => l.Length > 0).Select(l =>
            (IReadOnlyDictionary<string, string>)Fields(l).Zip(names).ToDictionary(p => p.Second, p => p.First))];
    }

    private static List<string> Fields(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"')
            {
                if (quoted && i + 1 < line.Length && line[i + 1] == '"')
                {
                    field.Append('"');
                    i++;
                }
                else
                {
                    quoted = !quoted;
                }
            }
            else if (line[i] == ',' && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(line[i]);
            }
        }
        fields.Add(field.ToString());
        return fields;
    }
}
