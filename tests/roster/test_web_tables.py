"""Tables that are text of another kind: a saved web page, an XML spreadsheet of 2003."""

import pytest

from tasks.roster.read import UnreadableTable, read_roster

OF_2003 = """<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="People"><Table>
<Row><Cell><Data ss:Type="String">Employee ID</Data></Cell><Cell><Data ss:Type="String">Name</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">007</Data></Cell><Cell><Data ss:Type="String">Ann Lee</Data></Cell></Row>
</Table></Worksheet></Workbook>"""


@pytest.mark.parametrize("before", ["", "\ufeff", "\r\n\t "])
def test_an_xml_spreadsheet_is_read_as_the_table_it_is(before: str) -> None:
    [row] = read_roster((before + OF_2003).encode(), "people.xls").rows
    assert (row.number, row.name) == ("007", "Ann Lee")


def test_other_xml_is_refused_in_words() -> None:
    with pytest.raises(UnreadableTable) as refused:
        read_roster(b'<?xml version="1.0"?><people><person id="7"/></people>', "people.xml")
    assert refused.value.code == "no_table"
    assert "no table that is known here" in refused.value.fix
